"""A search that is asked for, settled before its folder is touched: a dry run judges it, a session opens it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..supernets.evaluation.deciding import PILOTS
from ..supernets.space.space import SearchSpace
from .config import SearchConfig
from .deployments.provenance import Provenance
from .problem.context import ChoosesDeployments
from .problem.objective import Objective
from .problem.problem import Problem, settled
from .runs.files.folder import kept_reference
from .runs.files.identity import header_for
from .runs.files.records import PartialExamples, RunHeader
from .runs.files.start import Start
from .runs.run import Run
from .runs.warm_start import start_from_run
from .tactic import TACTICS, Tactic, population_of


@dataclass(frozen=True)
class Asked:
    """A run that is asked for, before its folder is touched: its settings in full, and what it starts from."""

    config: SearchConfig
    problem: Problem[Objective]
    build: Callable[[SearchConfig], Tactic]
    header: RunHeader
    start: Start | None

    @classmethod
    def of(
        cls,
        space: SearchSpace,
        config: SearchConfig,
        folder: Path,
        *,
        objectives: Sequence[Objective],
        watched: Sequence[Objective],
        provenance: Provenance,
        partial_examples: PartialExamples,
        deployments: ChoosesDeployments | None,
        start_from: Run | None,
        force: bool,
    ) -> Asked:
        """Settle what is asked for, as `Session` describes it; writes nothing."""
        # A space's options can be spelled in more than one way; a population is written down as a number.
        config = config.model_copy(update={"space": space.name, "population": population_of(config)})
        kept = {} if force else kept_reference(folder)
        config, problem = settled(config, space, objectives, watched, kept=kept)
        build = TACTICS.load(config.tactic)
        start = None
        if start_from is not None:
            start = start_from_run(
                start_from,
                space,
                config,
                objectives=(*objectives, *watched),
                provenance=provenance,
                partial_examples=partial_examples,
                deployments=deployments,
            )
            if start.header.takes == "values" and len(start.header.pilots) < PILOTS:
                partial_examples = "random"  # values of another run show no examples that decide
        return cls(config, problem, build, header_for(space, config, problem, provenance, partial_examples), start)
