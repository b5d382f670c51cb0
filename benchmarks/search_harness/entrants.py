"""The methods that are compared, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from typing import Any

from gnomon.search import SearchConfig
from gnomon.search.tactic import TACTICS, Tactic
from search_harness import botorch_qnehvi, optuna_samplers, paper_linas
from search_harness.landscape import EXACT, OWN, Landscape


@dataclass(frozen=True)
class Entrant:
    """How to build a method from a landscape and settings, and what a round of it costs (None: the landscape's).

    Worker processes get it pickled, so `build` is a function of a module.
    `variants` are the rules that it makes a difference to play by. `settings` are fields of SearchConfig that it
    needs, `constants` values of "module:NAME" while it runs: an ablation is an entrant with some of them. `package` is
    what has to be installed.
    """

    build: Callable[[Landscape, SearchConfig], Tactic]
    variants: tuple[str, ...] = (EXACT, OWN)
    population: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    package: str = "gnomon"

    @property
    def missing(self) -> str | None:
        """What stands in the way of running it, if anything does."""
        unknown = sorted(set(self.settings) - set(SearchConfig.model_fields))
        if unknown:
            return f"a search has no setting {', '.join(unknown)}"
        return None if find_spec(self.package) else f"it needs {self.package}: pip install '.[bench]'"


def registered(landscape: Landscape, config: SearchConfig) -> Tactic:
    """Build the tactic that the settings name."""
    return TACTICS.load(config.tactic)(config)


def of_the_paper(surrogate: str, landscape: Landscape, config: SearchConfig) -> Tactic:
    """Build LINAS of the paper."""
    return paper_linas.build(landscape, surrogate)


def of_optuna(sampler: str, landscape: Landscape, config: SearchConfig) -> Tactic:
    """Build one of Optuna's samplers."""
    return optuna_samplers.build(landscape, sampler, config.seed)


def of_botorch(landscape: Landscape, config: SearchConfig) -> Tactic:
    """Build BoTorch's acquisition."""
    return botorch_qnehvi.build(landscape)


def tactic(
    name: str, *, population: int | None = None, variants: tuple[str, ...] = (EXACT, OWN), **settings: Any
) -> Entrant:
    """Return an entrant for one of our tactics."""
    return Entrant(registered, variants, population, {"tactic": name, **settings})


GNOMON_POPULATION = 4
ENTRANTS: dict[str, Entrant] = {
    "random": tactic("random", variants=(OWN,)),
    "NSGA-II": tactic("evolutionary", variants=(OWN,)),
    "LINAS of the paper, ridge": Entrant(partial(of_the_paper, "ridge")),
    "LINAS of the paper, SVR": Entrant(partial(of_the_paper, "svr")),
    "LINAS, ridge": tactic("linas", surrogate="ridge"),
    "LINAS, SVR": tactic("linas", surrogate="svr"),
    "Optuna NSGA-II": Entrant(partial(of_optuna, "NSGAIISampler"), (OWN,), population=1, package="optuna"),
    "Optuna GP": Entrant(partial(of_optuna, "GPSampler"), (OWN,), population=1, package="optuna"),
    "BoTorch qLogNEHVI": Entrant(of_botorch, population=4, package="botorch"),
    "gnomon": tactic("gnomon", population=GNOMON_POPULATION),
    "gnomon, no partial evaluations": tactic("gnomon", population=GNOMON_POPULATION, partial_share=1.0),
    "gnomon, 1 at a time": tactic("gnomon", population=1),
}


def config_of(entrant: Entrant, landscape: Landscape, *, seed: int, budget: int) -> SearchConfig:
    """Return the settings of a run."""
    worst_top1, worst_price = landscape.reference
    return SearchConfig(
        space=landscape.space.name,
        objectives=("accuracy", landscape.price_name),
        population=entrant.population or landscape.population,
        budget=budget,
        inner_evaluations=landscape.inner_evaluations,
        reference={"accuracy": worst_top1, landscape.price_name: worst_price},
        seed=seed,
        **entrant.settings,
    )


def chosen(entrants: Mapping[str, Entrant], only: str | None) -> dict[str, Entrant]:
    """Return the entrants whose name holds one of the parts between semicolons, all without any.

    Raises SystemExit, naming all, when there is none.
    """
    parts = [part.strip() for part in (only or "").split(";")]
    found = {name: entrant for name, entrant in entrants.items() if any(part in name for part in parts)}
    if not found:
        raise SystemExit(f"--only {only!r}: no entrant has that in its name; there are {'; '.join(entrants)}")
    return found
