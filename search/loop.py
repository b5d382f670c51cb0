"""The search itself: it measures exactly its budget, writes every evaluation at once, and resumes by replay.

The header is written before anything is measured and never again; evaluations are appended and synced one by one,
so a killed search loses at most the one in flight. A round is computed anew from the evaluations before it, so a
resumed run follows the trajectory of an uninterrupted one. Interrupts pass through.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..profilers.journal import Journal
from ..supernets.errors import InvalidArchitecture
from ..supernets.space import Indices, SearchSpace
from .archive import Archive, check_budget
from .config import SearchConfig, check_names
from .constraint import Constraint
from .errors import InvalidConfig, RunDamaged, RunMismatch
from .folder import existing_header, held, start_folder, writing
from .objective import Objective, SearchContext, build_objectives, measure, reference_point
from .records import EVALUATIONS_FILE, Evaluation, ObjectiveInfo, RunHeader, installed_versions, record_of
from .run import Run, constraints_of, load_run
from .tactic import TACTICS, Tactic

OnProgress = Callable[[int, int, float, Evaluation, float], None]


def run_search(
    context: SearchContext,
    config: SearchConfig,
    folder: Path | str,
    *,
    provenance: Mapping[str, Any],
    on_progress: OnProgress | None = None,
    force: bool = False,
) -> Run:
    """Search, or resume the search in `folder`, until `config.budget` architectures are measured.

    `provenance` says what the context was made from (digests of the profile, the checkpoint); it is stored, and a
    folder with another configuration or provenance raises RunMismatch. `on_progress` is called after each evaluation
    with the number done, the total, the estimated seconds left, the evaluation and the hypervolume. `force` discards
    what the folder holds. All that cannot be honoured raises a SearchError before the first measurement.
    """
    folder = Path(folder)
    check_names(config)
    if config.space != context.space.name:
        raise InvalidConfig(f"space={config.space!r}, but the context is of {context.space.name!r}", field="space")
    check_budget(context.space, config.budget)
    objectives = build_objectives(config.objectives, replace(context, split=config.split))
    header = header_of(context, config, objectives, provenance)
    constraints = constraints_of(config, header.objectives)
    tactic = TACTICS.builder(config.tactic)(config)
    with held(folder), ExitStack() as stack:
        if force or existing_header(folder, header) is None:
            start_folder(folder, header)
        before = load_run(folder)
        check_evaluations(before, context.space)
        with writing(folder):
            journal = stack.enter_context(Journal(folder / EVALUATIONS_FILE))
        search = Searching(context.space, objectives, constraints, tactic, before, journal)
        search.finish(on_progress)
    return replace(before, evaluations=tuple(search.evaluations))


def header_of(
    context: SearchContext, config: SearchConfig, objectives: Sequence[Objective], provenance: Mapping[str, Any]
) -> RunHeader:
    """Describe a run about to start."""
    return RunHeader(
        config=config,
        space_digest=context.space.digest,
        objectives=tuple(ObjectiveInfo.of(objective) for objective in objectives),
        reference=reference_point(objectives, context.space, config.reference),
        provenance=json.loads(json.dumps(provenance)),
        versions=installed_versions(),
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    )


def check_evaluations(run: Run, space: SearchSpace) -> None:
    """Raise RunDamaged, naming the line, for an architecture outside the space."""
    for evaluation in run.evaluations:
        try:
            space.check([evaluation.indices])
        except InvalidArchitecture as error:
            path, line = run.folder / EVALUATIONS_FILE, evaluation.order + 1
            raise RunDamaged(f"{path}, line {line}: {error}", path=path, line_number=line) from error


@dataclass
class Searching:
    """One process's part of a run: `evaluations` grows, first those of `before`."""

    space: SearchSpace
    objectives: Sequence[Objective]
    constraints: Sequence[Constraint]
    tactic: Tactic
    before: Run
    journal: Journal
    evaluations: list[Evaluation] = field(init=False)

    def __post_init__(self) -> None:
        self.evaluations = list(self.before.evaluations)

    def finish(self, on_progress: OnProgress | None) -> None:
        """Measure until the budget is spent."""
        config, start = self.before.config, time.monotonic()
        while len(self.evaluations) < config.budget:
            number, done = divmod(len(self.evaluations), config.population)
            for row in self.plan(number)[done:]:
                self.measure(row, number)
                if on_progress is not None:
                    self.report(on_progress, time.monotonic() - start)

    def plan(self, number: int) -> Indices:
        """Return the rows of a round, those already measured first; raises RunMismatch where these differ."""
        config = self.before.config
        first = number * config.population
        n = min(config.population, config.budget - first)
        rng = np.random.default_rng([config.seed, number])
        rows = self.tactic.ask(self.archive(self.evaluations[:first]), n, rng, number)
        for evaluation, row in zip(self.evaluations[first:], rows):
            if evaluation.indices != tuple(row.tolist()):
                raise self.not_replayed(evaluation, row)
        return rows

    def not_replayed(self, evaluation: Evaluation, row: Indices) -> RunMismatch:
        """Build the error for a measured architecture that the same settings no longer ask for."""
        now = installed_versions()
        changed = [name for name, value in self.before.header.versions.items() if now.get(name) != value]
        return RunMismatch(
            f"{self.before.folder} does not replay: evaluation {evaluation.order} is {evaluation.id}, the same "
            f"settings now give {self.space.architecture(row).id}. Versions that changed since: "
            f"{', '.join(changed) or 'none (another processor or an edited file?)'}. Resume where the run started, "
            "or search into another folder",
            fields=[f"versions.{name}" for name in changed],
        )

    def archive(self, evaluations: Sequence[Evaluation]) -> Archive:
        """Return evaluations as arrays."""
        names = [objective.name for objective in self.objectives]
        measured = [(e.round, e.indices, [e.values[name] for name in names]) for e in evaluations]
        return Archive.of(self.space, self.objectives, self.constraints, measured=measured)

    def measure(self, row: Indices, number: int) -> None:
        """Measure one architecture and append it."""
        start = time.monotonic()
        values = measure(self.objectives, row)
        seconds = round(time.monotonic() - start, 6)
        architecture = self.space.architecture(row)
        evaluation = Evaluation(
            order=len(self.evaluations),
            round=number,
            indices=architecture.indices,
            id=architecture.id,
            values={objective.name: value for objective, value in zip(self.objectives, values)},
            seconds=seconds,
        )
        with writing(self.before.folder):
            self.journal.append(record_of(evaluation))
        self.evaluations.append(evaluation)

    def report(self, on_progress: OnProgress, elapsed_s: float) -> None:
        """Tell `on_progress` about the last evaluation."""
        done, total = len(self.evaluations), self.before.config.budget
        eta_s = elapsed_s / (done - len(self.before.evaluations)) * (total - done)
        hypervolume = replace(self.before, evaluations=tuple(self.evaluations)).hypervolume()
        on_progress(done, total, eta_s, self.evaluations[-1], hypervolume)
