"""What a search optimises, and what an objective is built from.

An objective says its unit and its direction and never changes a sign. A cheap one is exact for any number of
architectures; a costly one runs networks, so a tactic asks it only for architectures that it wants measured. New
objectives are modules of `objectives/` or entry points of group gnomon.objectives: `build(context) -> Objective`. A
name may be `family@instance`, as latency@pi5: the family's module builds for the context's `instance`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ...supernets.metric import Metric
from ...supernets.plugins import Registry
from ...supernets.precision import FP32
from ...supernets.space.space import Architecture, Indices, SearchSpace
from ..config import SearchConfig
from ..device import MeasuresResources
from ..errors import InvalidConfig, InvalidConstraint, InvalidValue, UnknownName
from .constraint import Constraint
from .region import Region

Direction = Literal["max", "min"]
Values = NDArray[np.float64]

DEPLOYMENT = "deployment"
INSTANCE = re.compile(r"[\w.-]*")  # empty: the one without a name
EXTREMES_SEED = 20220510
EXTREMES_SAMPLES = 4096


class Objective(Protocol):
    """A number to maximise or minimise; `values` gives it in `unit` for (n, d) architectures, (n,)."""

    @property
    def name(self) -> str:
        """Name in configurations and files."""

    @property
    def unit(self) -> str:
        """Unit of the values."""

    @property
    def direction(self) -> Direction:
        """Which way is better."""

    @property
    def costly(self) -> bool:
        """Whether a value takes running a network, so that tactics predict it."""

    def values(self, indices: Indices) -> Values:
        """Return the values of (n, d) architectures, (n,)."""


@runtime_checkable
class Divisible(Protocol):
    """A costly objective that can be measured on a share of its data, at that share of the cost.

    The data of a share are the same for every architecture, and a larger share contains a smaller.
    """

    def values_on(self, indices: Indices, share: float) -> Values:
        """Return the values of (n, d) architectures on a share in (0, 1] of the data, (n,)."""


@runtime_checkable
class Transferable(Protocol):
    """A costly objective that says whether its values hold on every device, as an accuracy does."""

    @property
    def device_independent(self) -> bool:
        """Whether a value measured beside one device holds on another."""


class EvaluatesArchitectures(Protocol):
    """What the objective of a task's metric needs of a super-network."""

    @property
    def metric(self) -> Metric:
        """Return what sub-networks are judged by."""

    def evaluate(self, architecture: Architecture, split: str, share: float = 1.0) -> float:
        """Return the metric of a sub-network on a share of a split's examples."""


@runtime_checkable
class EvaluatesAtPrecisions(Protocol):
    """A super-network whose sub-networks can be had, and evaluated, in other precisions than fp32; none has to be."""

    @property
    def metric(self) -> Metric:
        """Return what sub-networks are judged by."""

    @property
    def precisions(self) -> tuple[str, ...]:
        """Return the precisions that there are."""

    def evaluate(self, architecture: Architecture, split: str, share: float = 1.0, *, precision: str = FP32) -> float:
        """Return the metric of a sub-network, run in a precision, on a share of a split's examples."""


class PredictsLatency(Protocol):
    """What the latency objective needs of a profile's latency model."""

    def value_us(self, indices: Indices) -> Values:
        """Estimate the latency of (n, d) architectures in microseconds, (n,)."""


@runtime_checkable
class ChoosesDeployments(Protocol):
    """A latency that is the least of several ways to run a network, and says which."""

    def value_us(self, indices: Indices) -> Values:
        """Estimate the latency of (n, d) architectures in microseconds, (n,)."""

    def chosen(self, indices: Indices) -> Values:
        """Return the number of the way in which each architecture is fastest, from 0, (n,)."""


@dataclass(frozen=True)
class Chosen:
    """The number of the way that each architecture is run in; watched, so that it is kept beside what was measured."""

    ways: ChoosesDeployments
    name: str = DEPLOYMENT
    unit: str = "number"
    direction: Literal["min"] = "min"
    costly: bool = False

    def values(self, indices: Indices) -> Values:
        """Return the number for (n, d) architectures, (n,)."""
        return self.ways.chosen(indices)


@dataclass(frozen=True)
class SearchContext:
    """What objectives are built from: a space, and a super-network, latency models and a device where there are some.

    One latency model, or several by the name of their profile ("" is that of plain `latency`); `resources` by the same
    names. `instance` is what stands after the @ of the objective being built. `precision` is what the networks are
    validated in.
    """

    space: SearchSpace
    supernet: EvaluatesArchitectures | None = None
    latency: PredictsLatency | Mapping[str, PredictsLatency] | None = None
    split: str = "validation"
    instance: str = ""
    precision: str = FP32
    resources: Mapping[str, MeasuresResources] = field(default_factory=dict)

    @property
    def latencies(self) -> Mapping[str, PredictsLatency]:
        """Latency models by the name of their profile."""
        if self.latency is None:
            return {}
        return self.latency if isinstance(self.latency, Mapping) else {"": self.latency}


OBJECTIVES: Registry[Callable[[SearchContext], Objective]] = Registry(
    "objective", "search/problem/objectives", UnknownName.of, "gnomon.objectives", attribute="build"
)


def family_of(name: str) -> str:
    """Return the part of an objective's name that its module is called."""
    return name.partition("@")[0]


def check_instances(names: Iterable[str]) -> None:
    """Raise InvalidConfig for a name that could not stand after the @ of an objective in a constraint."""
    for name in names:
        if not INSTANCE.fullmatch(name):
            raise InvalidConfig(
                f"a profile is called {name!r}; names are letters, digits, dots, dashes and underscores",
                field="profile",
            )


def own_metric(context: SearchContext) -> Metric | None:
    """Return the metric that the super-network's task brings, where no objective is registered by its name."""
    metric = context.supernet.metric if context.supernet else None
    return None if metric is None or metric.name in OBJECTIVES.names() else metric


def build_objective(name: str, context: SearchContext) -> Objective:
    """Build the objective called `name`; raises UnknownName, MissingContext, PluginBroken."""
    family, _, instance = name.partition("@")
    own = own_metric(context)
    if own and name == own.name:
        from .task_metric import metric_objective  # which builds on this file

        return metric_objective(own, context)
    with OBJECTIVES.blaming(family):
        objective = OBJECTIVES.load(family)(replace(context, instance=instance))
    if "@" in name and objective.name != name:
        raise UnknownName(f"objective {family!r} has no instances, so {name!r} is none; write {family}", known=[family])
    return objective


def build_objectives(names: Sequence[str], context: SearchContext) -> tuple[Objective, ...]:
    """Build the objectives called `names`, in that order; raises UnknownName, MissingContext."""
    return tuple(build_objective(name, context) for name in names)


def build_watched(config: SearchConfig, context: SearchContext, *, told: Collection[str] = ()) -> tuple[Objective, ...]:
    """Build what is constrained without being optimised, in order; it must be cheap, so that every value is exact.

    What is `told` by the user can only be constrained as an objective.
    Raises InvalidConstraint for something costly, or that is no objective at all; MissingContext.
    """
    watched: dict[str, Objective] = {}
    own = own_metric(context)
    known = (*OBJECTIVES.names(), *([own.name] if own else ()))
    for text in config.constraints:
        name = Constraint.name_in(text)
        if name in (*config.objectives, *watched, *told) or family_of(name) not in known:
            continue  # a name that nothing has is refused, with those there are, when the constraint is read
        watched[name] = build_objective(name, context)
        if watched[name].costly:
            raise InvalidConstraint(
                f"constraint {text!r} is on {name!r}, which takes running networks and is no objective of the search; "
                f"make it one: `objectives={','.join([*config.objectives, name])}`"
            )
    ways = context.latencies.get("")
    return (*watched.values(), *([Chosen(ways)] if isinstance(ways, ChoosesDeployments) else ()))


def measure(objectives: Sequence[Objective], row: Indices, share: float = 1.0) -> tuple[float, ...]:
    """Return one architecture's value of each objective, those that can on a share of the data; raises InvalidValue."""
    values = []
    for objective in objectives:
        if share < 1.0 and isinstance(objective, Divisible):
            measured = objective.values_on(row[None], share)
        else:
            measured = objective.values(row[None])
        result = np.asarray(measured, dtype=np.float64)
        if result.shape != (1,) or not np.isfinite(result[0]):
            raise InvalidValue(
                f"objective {objective.name!r} returned {result.tolist()} for one architecture {row.tolist()}; "
                "expected one finite number"
            )
        values.append(float(result[0]))
    return tuple(values)


def reference_point(
    objectives: Sequence[Objective], space: SearchSpace, given: Mapping[str, float]
) -> tuple[float, ...]:
    """Return the point that hypervolume is measured from, one value an objective.

    A given value wins. Else a cheap objective has its worst value over the smallest and largest architecture (all
    first and all last options) and 4,096 fixed draws; a costly one to maximise has 0. Raises InvalidConfig for a
    costly objective to minimise without a given value.
    """
    probe: Indices | None = None
    point = []
    for objective in objectives:
        if objective.name in given:
            point.append(float(given[objective.name]))
        elif not objective.costly:
            probe = extremes(space) if probe is None else probe
            values = objective.values(probe)
            point.append(float(values.max() if objective.direction == "min" else values.min()))
        elif objective.direction == "max":
            point.append(0.0)
        else:
            raise InvalidConfig(
                f"objective {objective.name!r} is costly and minimised, and cannot say its worst value; "
                f"give it in {objective.unit}, as reference.{objective.name} = VALUE",
                field="reference",
            )
    return tuple(point)


def corner_of(objectives: Sequence[Objective], space: SearchSpace, config: SearchConfig) -> tuple[float, ...]:
    """Return the point that a run's hypervolume is measured from: the region's bounds, else as `reference_point`.

    Raises InvalidConfig for a region that cannot be read, is empty, or where nothing can count.
    """
    region = Region.of(config.region, objectives, config.constraints)
    given = dict(config.reference)
    for objective, bound in zip(objectives, region.worst):
        if np.isfinite(bound):
            if objective.name in given:
                raise InvalidConfig(
                    f"reference.{objective.name} = {given[objective.name]:g} and the region {', '.join(config.region)} "
                    "both say where hypervolume ends; give one of them",
                    field="region",
                )
            given[objective.name] = bound
    corner = reference_point(objectives, space, given)
    region.check_corner(corner)
    return corner


def minimised(values: Values, directions: Sequence[Direction]) -> Values:
    """Flip the sign of maximised columns of (n, m) values."""
    signs = np.array([-1.0 if direction == "max" else 1.0 for direction in directions])
    return np.asarray(values * signs, dtype=np.float64)


def extremes(space: SearchSpace) -> Indices:
    """Return the smallest and largest architecture and fixed draws, (n, d) canonical."""
    corners = np.stack([np.zeros_like(space.radices), space.radices - 1])
    draws = space.sample(EXTREMES_SAMPLES, np.random.default_rng(EXTREMES_SEED))
    return np.concatenate([space.canonical(corners), draws])
