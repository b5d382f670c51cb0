"""A run folder's content: what is searched, what was measured so far, and the front of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...supernets import SearchSpace, load_space
from ...supernets.space.space import Architecture
from ..config import SearchConfig
from ..deployments.provenance import Deployment
from ..errors import Infeasible, NothingMeasured, RunMismatch, SearchError
from ..fronts.pareto import ParetoFront, describe
from ..fronts.table import Table, frame_from_table
from ..problem.objective import ObjectiveInfo, Quantity, Values
from ..problem.problem import Problem
from .counting import counted_from, least_counting_share
from .files.pilots import pilots_of
from .files.records import Evaluation, RunHeader, read_header
from .files.replay import read_evaluations
from .files.spending import Spending
from .files.start import Start, read_start
from .files.stopping import Stop, cost_of, read_stop
from .measured import Measured, as_measured, feasible_volume, problem_of, values_of, violations_of, volumes_of
from .quality import PredictorQuality, quality_of
from .table import table_of_evaluations

if TYPE_CHECKING:
    import pandas

    from .pricing import Pricing


@dataclass(frozen=True, repr=False)
class Run:
    """What a run folder holds; `evaluations` are in the order they were written, of any share of the data.

    `start` is what the run was started from, `stop` how it ended, None while it goes on. `pricing` says with which
    profiles its latencies are priced instead of those that it was searched with.
    """

    folder: Path
    header: RunHeader
    evaluations: tuple[Evaluation, ...]
    start: Start | None = None
    stop: Stop | None = None
    pricing: Pricing | None = None

    @property
    def config(self) -> SearchConfig:
        """The run's settings."""
        return self.header.config

    @property
    def precision(self) -> str:
        """The precision that networks were validated in."""
        return self.header.provenance.precision

    @property
    def weight_bits(self) -> int | None:
        """The bits of int8 weights that networks were validated with; None where there were none, or in older runs."""
        return self.header.provenance.weight_bits

    @property
    def objectives(self) -> tuple[ObjectiveInfo, ...]:
        """The run's objectives, in its order."""
        return tuple(ObjectiveInfo(o.name, o.unit, o.direction) for o in self.header.objectives)

    @property
    def watched(self) -> tuple[Quantity, ...]:
        """What is measured beside the objectives: what is constrained without being one."""
        return self.header.watched

    @property
    def effort(self) -> str:
        """What was done and spent: `18 validations and 20 partial evaluations on random examples, cost 20 of 20`.

        A validation is on all examples, a partial evaluation on a share of them, and costs that share. Where some of
        these are exact enough to count in the front, it says how many.
        """
        full = sum(evaluation.is_full for evaluation in self.evaluations)
        counts = [(full, "validation"), (len(self.partial_evaluations), "partial evaluation")]
        done = " and ".join(f"{n} {what}{'' if n == 1 else 's'}" for n, what in counts if n or what == "validation")
        if self.partial_evaluations:
            at_random = pilots_of(self.evaluations, self.header, self.start) is None
            done += " on random examples" if at_random else " on deciding examples"
        if among := sum(evaluation.is_partial for evaluation in self.counted):
            done += f" ({among} of them count in the front)"
        failed = f", {len(self.failures)} failed" if self.failures else ""
        return f"{done}{failed}, cost {self.cost:.4g} of {self.config.budget}"

    @cached_property
    def least_share(self) -> float:
        """The least share of the examples on which an evaluation counts in the front; 1: full ones only."""
        return least_counting_share(self.header, self.start, self.evaluations)

    @cached_property
    def counted(self) -> tuple[Evaluation, ...]:
        """The evaluations that count in the front: full ones, and those on a share that is exact enough."""
        return counted_from(self.least_share, self.start, self.evaluations)

    @cached_property
    def measured(self) -> tuple[Measured, ...]:
        """What counts in the front: evidence of another run first, then `counted` as it was written."""
        return as_measured(self.header, self.start, self.counted, self.least_share)

    @property
    def partial_evaluations(self) -> tuple[Evaluation, ...]:
        """What was measured on a share of the data."""
        return tuple(evaluation for evaluation in self.evaluations if evaluation.is_partial)

    @property
    def failures(self) -> tuple[Evaluation, ...]:
        """What could not be measured."""
        return tuple(evaluation for evaluation in self.evaluations if evaluation.failed is not None)

    @cached_property
    def values(self) -> Values:
        """Values of what counts in the front, (n, m)."""
        return values_of(self.problem, self.measured)

    @cached_property
    def problem(self) -> Problem[Quantity]:
        """What the run is after: objectives, constraints, region and reference point."""
        return problem_of(self.header)

    def deployment(self, architecture: Architecture) -> Deployment | None:
        """Return the deployment in which a measured architecture is fastest; None where there was no choice."""
        numbers = (measurement.deployment for measurement in self.measured if measurement.architecture == architecture)
        number = next(numbers, None)
        return None if number is None else self.header.provenance.deployments[number]

    def inside(self, front: ParetoFront) -> tuple[bool, ...]:
        """Tell which members of a front of this run are where its hypervolume counts."""
        return tuple(bool(held) for held in self.problem.region.holds(np.array(front.values)))

    @property
    def cost(self) -> float:
        """What the run has cost, in full validations."""
        return cost_of(self.evaluations)

    def front(self) -> ParetoFront:
        """Return the Pareto front of what counts and keeps the constraints; raises Infeasible for none.

        Raises NothingMeasured where nothing was measured in full yet.
        """
        measured, values = self.measured, self.values
        violations = violations_of(self.problem, measured)
        if not measured:
            raise NothingMeasured(nothing_said(self))
        if not (violations == 0).any():
            nearest = measured[int(np.argmin(violations))]
            units = self.problem.units
            raise Infeasible(
                f"none of {len(measured)} measured architectures keeps {', '.join(self.config.constraints)}; "
                f"the nearest is {nearest.architecture.id} with "
                f"{describe(dict(zip(units, nearest.quantities)), units)}",
                nearest=nearest.architecture,
            )
        kept = np.flatnonzero(violations == 0)
        return ParetoFront.of(
            [measured[i].architecture for i in kept],
            values[kept],
            self.objectives,
            watched=self.watched,
            watched_values=[measured[i].watched for i in kept],
        )

    def hypervolume(self) -> float:
        """Return the hypervolume of the front, 0 for none."""
        return feasible_volume(self.problem, self.measured)

    def hypervolume_trace(self) -> tuple[float, ...]:
        """Return the hypervolume after each measurement that counts, infeasible ones left out, evidence in all."""
        kept = violations_of(self.problem, self.measured) == 0
        volumes = iter(volumes_of(self.problem, self.values[kept]).tolist())
        trace, volume = [], 0.0
        for is_kept in kept:
            volume = next(volumes) if is_kept else volume
            trace.append(volume)
        return tuple(trace[len(self.measured) - len(self.counted) :])

    def cost_trace(self) -> tuple[float, ...]:
        """Return what the run had cost after each measurement that counts, in full validations."""
        spending, trace, counting = Spending(), [], {evaluation.order for evaluation in self.counted}
        for evaluation in self.evaluations:
            spending.add(evaluation.share)
            if evaluation.order in counting:
                trace.append(spending.total)
        return tuple(trace)

    def predictor_quality(self) -> tuple[PredictorQuality, ...]:
        """Return how well each costly objective was predicted before it was measured, where it was."""
        return quality_of(self.evaluations, {o.name: o.unit for o in self.header.objectives}, self.counted)

    def space(self) -> SearchSpace:
        """Return the run's space; raises RunMismatch when the installed one differs, UnknownSpace for none."""
        space = load_space(self.config.space)
        if space.digest != self.header.space_digest:
            raise RunMismatch(
                f"{self.folder} was searched on {space.name} with digest {self.header.space_digest}; the one installed "
                f"here has {space.digest}, so its genes mean something else. Use the Gnomon that made the run",
                fields=("space_digest",),
            )
        return space

    def front_ids(self) -> frozenset[str]:
        """Return the ids on the front, none when nothing was measured in full or keeps the constraints.

        Raises NothingMeasured for a run without evaluations.
        """
        try:
            return frozenset(self.front().ids)
        except Infeasible:
            return frozenset()
        except NothingMeasured:
            if not self.evaluations:
                raise
            return frozenset()

    def table(self) -> Table:
        """Return the run's evaluations as a table; raises NothingMeasured for none, RunMismatch, UnknownSpace."""
        deployments = self.header.provenance.deployments
        quantities, ids = (*self.objectives, *self.watched), self.front_ids()
        front = {evaluation.order for evaluation in self.counted if evaluation.id in ids}
        return table_of_evaluations(
            self.config, self.space(), self.evaluations, quantities, front=front, deployments=deployments
        )

    def frame(self) -> pandas.DataFrame:
        """Return the table as one of pandas; raises ModuleNotFoundError without pandas, and as `table`."""
        return frame_from_table(self.table())

    @property
    def line(self) -> str:
        """What was searched, by which tactic, and what was spent."""
        return f"{self.folder}: {self.config.space} by {self.config.tactic}, {self.effort}"

    def __repr__(self) -> str:
        return f"Run({self.line})"

    def __str__(self) -> str:
        lines = [self.line, *([] if self.pricing is None else [str(self.pricing)])]
        try:
            return "\n".join([*lines, str(self.front())])
        except SearchError as error:
            return "\n".join([*lines, str(error)])

    def _repr_html_(self) -> str:
        title = f"{self.config.space}: {self.config.tactic}, {self.effort}"
        if not self.evaluations:
            return f"<p><b>{escape(title)}</b>: nothing measured yet</p>"
        try:
            front = self.front()
        except (Infeasible, NothingMeasured) as error:
            return f"<p><b>{escape(title)}</b>: {escape(str(error))}</p>"
        return front.html(title=f"{title}, {len(front.values)} on the front", everything=self.values)


def nothing_said(run: Run) -> str:
    """Say that a run has no front yet, and what it has."""
    failures = run.failures
    why = f", {len(failures)} failed, the last with: {failures[-1].failed}" if failures else ""
    return (
        f"the run in {run.folder} has measured nothing yet in full ({len(run.evaluations)} evaluations{why}); "
        "the same command goes on with it"
    )


def load_run(folder: str | Path) -> Run:
    """Read a run folder, finished or not; raises RunDamaged."""
    folder = Path(folder)
    header = read_header(folder)
    started = header.provenance.start_sha256
    start = None if started is None else read_start(folder, started)
    return Run(folder, header, read_evaluations(folder, header, start), start, read_stop(folder))
