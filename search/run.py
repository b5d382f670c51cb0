"""Run a search: ask a tactic, measure, write down, repeat; and go on where a run stopped.

Each round asks a pure function of (what earlier rounds measured, settings, seed, round), and each measurement is on
disk before the next begins. So resuming is replay: a run killed at any byte continues to the same trajectory and
loses at most the measurement in flight.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from filelock import FileLock, Timeout

from ..profilers.journal import Journal, write_atomically
from ..supernets.space import Architecture, Indices
from .archive import Archive, check_budget
from .config import SearchConfig
from .constraint import Constraint, violation
from .errors import Infeasible, OutputUnusable, RunDamaged, RunLocked
from .objective import Objective, SearchContext, Values, build_objectives, build_watched, corner_of, measure
from .pareto import ObjectiveInfo, ParetoFront, describe, hypervolume
from .records import (
    EVALUATIONS_FILE,
    RUN_FILE,
    Evaluation,
    ObjectiveRecord,
    RunHeader,
    WatchedRecord,
    installed_versions,
    read_evaluations,
    read_header,
    require_same,
)
from .region import Region
from .tactic import TACTICS, Tactic, check_names

KEPT = "what was measured is kept, and the same command goes on"


class OnProgress(Protocol):
    """Called after each measurement."""

    def __call__(self, done: int, total: int, eta_s: float, evaluation: Evaluation, hypervolume: float) -> None:
        """Show how far the run is."""


@dataclass(frozen=True)
class Run:
    """A run folder's content: what is searched and what was measured so far."""

    folder: Path
    header: RunHeader
    evaluations: tuple[Evaluation, ...]

    @property
    def config(self) -> SearchConfig:
        """The run's settings."""
        return self.header.config

    @property
    def objectives(self) -> tuple[ObjectiveInfo, ...]:
        """The run's objectives, in its order."""
        return tuple(ObjectiveInfo(o.name, o.unit, o.direction) for o in self.header.objectives)

    @property
    def values(self) -> Values:
        """All measured values, (n, m)."""
        return values_of(self.header, self.evaluations)

    @property
    def region(self) -> Region:
        """Where the run's hypervolume counts."""
        return Region.of(self.config.region, self.objectives)

    def inside(self, front: ParetoFront) -> tuple[bool, ...]:
        """Tell which members of a front of this run are where its hypervolume counts."""
        return tuple(bool(held) for held in self.region.holds(np.array(front.values)))

    def front(self) -> ParetoFront:
        """Return the Pareto front of what was measured and keeps the constraints; raises Infeasible for none."""
        broken = violations_of(self.header, self.evaluations)
        architectures = [Architecture(self.config.space, e.indices) for e in self.evaluations]
        if not (broken == 0).any():
            if not self.evaluations:
                raise RunDamaged(f"the run in {self.folder} has measured nothing yet", path=self.folder)
            nearest = int(np.argmin(broken))
            units = {o.name: o.unit for o in self.header.quantities}
            raise Infeasible(
                f"none of {len(self.evaluations)} measured architectures keeps {', '.join(self.config.constraints)}; "
                f"the nearest is {architectures[nearest].id} with "
                f"{describe(self.evaluations[nearest].values, units)}",
                nearest=architectures[nearest],
            )
        kept = np.flatnonzero(broken == 0)
        return ParetoFront.of([architectures[i] for i in kept], self.values[kept], self.objectives)

    def hypervolume_trace(self) -> tuple[float, ...]:
        """Return the hypervolume after each measurement, infeasible ones left out."""
        feasible = violations_of(self.header, self.evaluations) == 0
        return tuple(volume_of(self.header, self.values[:n][feasible[:n]]) for n in range(1, len(feasible) + 1))


def load_run(folder: Path) -> Run:
    """Read a run folder, finished or not; raises RunDamaged."""
    header = read_header(folder)
    return Run(folder, header, read_evaluations(folder, header))


def run_search(
    context: SearchContext,
    config: SearchConfig,
    folder: Path,
    *,
    provenance: Mapping[str, Any],
    on_progress: OnProgress | None = None,
    force: bool = False,
) -> Run:
    """Measure exactly `config.budget` architectures and return the run; goes on with the same run in `folder`.

    `provenance` (profile and checkpoint digests) becomes part of the run's identity. Raises InvalidConfig,
    UnknownName, MissingContext, RunMismatch (another run is there, and `force` is off), RunDamaged, RunLocked,
    OutputUnusable, SpaceExhausted.
    """
    check_names(config)
    config = config.model_copy(update={"space": context.space.name})  # options can be spelled in more than one way
    check_budget(context.space, config.budget)
    context = replace(context, split=config.split)
    objectives, watched = build_objectives(config.objectives, context), build_watched(config, context)
    constraints = parse_constraints(config, (*objectives, *watched))
    tactic = TACTICS.builder(config.tactic)(config)
    header = header_for(context, config, objectives, watched, provenance)
    with opened(folder, header, force=force) as journal:
        evaluations = list(read_evaluations(folder, header))
        started, before = time.monotonic(), len(evaluations)
        for number, row in planned(context, config, (objectives, watched), constraints, tactic, evaluations):
            began = time.monotonic()
            names = [*config.objectives, *(objective.name for objective in watched)]
            values = dict(zip(names, measure((*objectives, *watched), row)))
            architecture = context.space.architecture(row)
            evaluation = Evaluation(
                round=number,
                order=len(evaluations),
                id=architecture.id,
                indices=architecture.indices,
                values=values,
                seconds=round(time.monotonic() - began, 4),
            )
            with writing(folder, KEPT):
                journal.append(evaluation.model_dump(mode="json"))
            evaluations.append(evaluation)
            if on_progress is not None:
                done = len(evaluations)
                eta_s = (time.monotonic() - started) / (done - before) * (config.budget - done)
                on_progress(done, config.budget, eta_s, evaluation, feasible_volume(header, evaluations))
    return Run(folder, header, tuple(evaluations))


def planned(
    context: SearchContext,
    config: SearchConfig,
    quantities: tuple[tuple[Objective, ...], tuple[Objective, ...]],
    constraints: tuple[Constraint, ...],
    tactic: Tactic,
    evaluations: list[Evaluation],
) -> Iterator[tuple[int, Indices]]:
    """Yield (round, row) of each measurement still to make; `evaluations` grows between two of them.

    `quantities` are the objectives, and what else is constrained. Rounds that are on disk are replayed up to the first
    incomplete one, whose recorded part must be what the tactic asks for again. Raises RunDamaged when it is not.
    """
    number, done = 0, 0
    while done < config.budget:
        n = min(config.population, config.budget - done)
        recorded = evaluations[done : done + n]
        if len(recorded) < n:
            measured = [
                (e.round, e.indices, [e.values[name] for name in config.objectives]) for e in evaluations[:done]
            ]
            objectives, watched = quantities
            archive = Archive.of(
                context.space, objectives, constraints, measured=measured, watched=watched, region=config.region
            )
            rows = tactic.ask(archive, n, np.random.default_rng([config.seed, number]), number).rows
            for evaluation, row in zip(recorded, rows):
                if evaluation.indices != tuple(int(index) for index in row):
                    raise RunDamaged(
                        f"evaluation {evaluation.order} of the run is not what its settings lead to; its file was "
                        "edited, or made on a machine whose arithmetic differs. Start anew with --force",
                        path=Path(EVALUATIONS_FILE),
                        line_number=evaluation.order + 1,
                    )
            for row in rows[len(recorded) :]:
                yield number, row
        number, done = number + 1, done + n


@contextmanager
def opened(folder: Path, header: RunHeader, *, force: bool) -> Iterator[Journal]:
    """Create the run folder, or check that it is this run's, and open its journal under a lock."""
    with ExitStack() as stack:
        with writing(folder, "choose another --out"):
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(FileLock(folder / "lock", timeout=0))
            if (folder / RUN_FILE).exists() and not force:
                require_same(folder, read_header(folder), header)
            else:
                start(folder, header)
            journal = Journal(folder / EVALUATIONS_FILE).__enter__()
            stack.callback(close, journal, folder)
        yield journal


def close(journal: Journal, folder: Path) -> None:
    """Close the journal, which on a full disk fails as its last append did."""
    with writing(folder, KEPT):
        journal.__exit__(None, None, None)


@contextmanager
def writing(folder: Path, advice: str) -> Iterator[None]:
    """Turn the operating system's refusals, of writing only, into RunLocked and OutputUnusable."""
    try:
        yield
    except Timeout as error:
        raise RunLocked(f"another process is writing the run in {folder}; wait for it, or choose another") from error
    except OSError as error:
        raise OutputUnusable(f"cannot write the run folder {folder}: {error}; {advice}") from error


def start(folder: Path, header: RunHeader) -> None:
    """Write a new run's description into `folder`, which must be empty or hold a run; replaces only a run's files."""
    own = ("lock", f".{RUN_FILE}.")  # the latter is left by a kill while the description was written
    others = sorted(path.name for path in folder.iterdir() if not path.name.startswith(own))
    if others and RUN_FILE not in others:
        raise OutputUnusable(f"{folder} is not empty and holds no run ({others[0]}); choose another --out")
    (folder / EVALUATIONS_FILE).unlink(missing_ok=True)
    content = header.model_dump_json(indent=1, by_alias=True)
    write_atomically(folder / RUN_FILE, content + "\n")


def header_for(
    context: SearchContext,
    config: SearchConfig,
    objectives: tuple[Objective, ...],
    watched: tuple[Objective, ...],
    provenance: Mapping[str, Any],
) -> RunHeader:
    """Describe a run; raises InvalidConfig for a region or reference that makes no hypervolume."""
    corner = corner_of(objectives, context.space, config)
    return RunHeader(
        config=config,
        space_digest=context.space.digest,
        objectives=tuple(
            ObjectiveRecord(name=o.name, unit=o.unit, direction=o.direction, reference=worst)
            for o, worst in zip(objectives, corner)
        ),
        watched=tuple(WatchedRecord(name=o.name, unit=o.unit) for o in watched),
        provenance=dict(provenance),
        versions=installed_versions(),
    )


def parse_constraints(
    config: SearchConfig, quantities: Sequence[Objective | ObjectiveRecord | WatchedRecord]
) -> tuple[Constraint, ...]:
    """Read the settings' constraints; raises InvalidConstraint."""
    units = {quantity.name: quantity.unit for quantity in quantities}
    return tuple(Constraint.parse(text, units) for text in config.constraints)


def values_of(header: RunHeader, evaluations: tuple[Evaluation, ...] | list[Evaluation]) -> Values:
    """Return values in the run's order of objectives, (n, m)."""
    names = [objective.name for objective in header.objectives]
    rows = [[evaluation.values[name] for name in names] for evaluation in evaluations]
    return np.array(rows, dtype=np.float64).reshape(-1, len(names))


def violations_of(header: RunHeader, evaluations: Sequence[Evaluation]) -> Values:
    """Return by how much evaluations break the run's constraints, (n,)."""
    names = [quantity.name for quantity in header.quantities]
    rows = [[evaluation.values[name] for name in names] for evaluation in evaluations]
    values = np.array(rows, dtype=np.float64).reshape(-1, len(names))
    return violation(values, names, parse_constraints(header.config, header.quantities))


def volume_of(header: RunHeader, values: Values) -> float:
    """Return the hypervolume of (n, m) values up to the run's reference point, clipped to its region."""
    directions = [objective.direction for objective in header.objectives]
    clipped = Region.of(header.config.region, header.objectives).clipped(values)
    return hypervolume(clipped, directions, [objective.reference for objective in header.objectives])


def feasible_volume(header: RunHeader, evaluations: list[Evaluation]) -> float:
    """Return the hypervolume of what keeps the constraints."""
    values = values_of(header, evaluations)
    return volume_of(header, values[violations_of(header, evaluations) == 0])
