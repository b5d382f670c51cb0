"""How a search chooses what to measure next.

A round is a pure function of the archive, the settings, the seed and the round's number: a tactic keeps nothing
between rounds, which makes resuming a run the same as never having stopped. New tactics are modules of `tactics/` or
entry points of group gnomon.tactics: `build(config) -> Tactic`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from ..supernets.space import Indices
from .archive import Archive
from .config import SearchConfig
from .objective import OBJECTIVES
from .registry import Registry
from .surrogate import SURROGATES


class Tactic(Protocol):
    """Proposes architectures to measure."""

    def ask(self, archive: Archive, n: int, rng: np.random.Generator, round: int) -> Indices:
        """Return `n` distinct canonical architectures that are not in the archive, (n, d), best first.

        Raises SpaceExhausted when the space does not have so many left.
        """


TACTICS: Registry[Callable[[SearchConfig], Tactic]] = Registry("tactic", "tactics", "gnomon.tactics")


def check_names(config: SearchConfig) -> None:
    """Raise UnknownName for an objective, tactic or surrogate that is not registered; imports none of them."""
    for objective in config.objectives:
        OBJECTIVES.check(objective)
    TACTICS.check(config.tactic)
    SURROGATES.check(config.surrogate)
