"""How a search chooses what to measure next.

A round is a pure function of the archive, the settings, the seed and the round's number: a tactic keeps nothing
between rounds, which makes resuming a run the same as never having stopped. New tactics are modules of `tactics/` or
entry points of group gnomon.tactics: `build(config) -> Tactic`, and beside it, if it is not the paper's, the
`POPULATION` that suits the tactic.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..supernets.plugins import Registry
from ..supernets.space.space import Indices
from .archive import Archive
from .config import SearchConfig
from .errors import InvalidConfig, UnknownName
from .evolution.algorithm import algorithm_of
from .prediction.surrogate import SURROGATES
from .problem.build import OBJECTIVES, family_of
from .problem.objective import Values

PAPER_POPULATION = 50  # arXiv 2205.10358


@dataclass(frozen=True)
class Batch:
    """What to measure next: canonical `rows` (k, d), in order, each on a share of the validation data, (k,).

    `mean` and `deviation`, (k, m), are what the tactic expects of a full measurement, NaN where it has no idea; they
    are written down before the measurement, to be judged by it.
    """

    rows: Indices
    shares: Values
    mean: Values
    deviation: Values

    @staticmethod
    def of(
        rows: Indices,
        objectives: int,
        *,
        shares: Values | None = None,
        mean: Values | None = None,
        deviation: Values | None = None,
    ) -> Batch:
        """Fill in what is not given: whole measurements, nothing expected."""
        unknown = np.full((len(rows), objectives), np.nan)
        return Batch(
            rows,
            np.ones(len(rows)) if shares is None else shares,
            unknown if mean is None else mean,
            unknown if deviation is None else deviation,
        )

    @staticmethod
    def waiting(archive: Archive) -> Batch:
        """Ask for nothing before more is known."""
        return Batch.of(archive.indices[:0], len(archive.objectives))


class Tactic(Protocol):
    """Proposes architectures to measure.

    Where several workers measure, it is asked while earlier trials are `pending` in the archive: these count as seen,
    and a tactic may believe of them what it predicts.
    """

    def ask(self, archive: Archive, n: int, rng: np.random.Generator, round: int) -> Batch:
        """Return distinct canonical architectures that were not measured in full, best first.

        `n` is what the round may cost, in full measurements: the shares of the batch add up to at most that, and to
        more than 0. An empty batch waits for something pending; it is a fault where nothing is. Raises SpaceExhausted
        when the space does not have so many architectures left.
        """


SETTINGS_OF_TACTICS = ("surrogate",)

TACTICS: Registry[Callable[[SearchConfig], Tactic]] = Registry(
    "tactic", "search/tactics", UnknownName.of, "gnomon.tactics", attribute="build"
)


def population_of(config: SearchConfig) -> int:
    """Return the full validations a round: those of the settings, or what suits the tactic; raises UnknownName."""
    if config.population is not None:
        return config.population
    module = sys.modules[TACTICS.load(config.tactic).__module__]
    return int(getattr(module, "POPULATION", PAPER_POPULATION))


def check_names(config: SearchConfig, *, user_objectives: Sequence[str] = ()) -> None:
    """Raise UnknownName for an objective, tactic, surrogate or algorithm that is not registered.

    User objectives, and what is the metric of a super-network's task, need no registration. Raises
    InvalidConfig for an algorithm that does not suit the search, whichever tactic it has.
    """
    for objective in config.objectives:
        if objective not in user_objectives:
            OBJECTIVES.check(family_of(objective))
    TACTICS.check(config.tactic)
    SURROGATES.check(config.surrogate)
    algorithm_of(config)
    check_settings(config)


def check_settings(config: SearchConfig) -> None:
    """Raise InvalidConfig for a setting that the tactic does not have: it would be without effect.

    A tactic's module names those that it has in SETTINGS; where it names none, as another package's, all are let pass.
    """
    module = sys.modules[TACTICS.load(config.tactic).__module__]
    own = getattr(module, "SETTINGS", SETTINGS_OF_TACTICS)
    for name in SETTINGS_OF_TACTICS:
        value = getattr(config, name)
        if name not in own and value != SearchConfig.model_fields[name].default:
            raise InvalidConfig(
                f"{name}={value!r} has no effect: the tactic {config.tactic} has no such setting; leave it out, or "
                "choose a tactic that has it, as linas",
                field=name,
            )
