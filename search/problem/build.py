"""Builds objectives by name: registered ones, those of a task's metric, and what is constrained beside them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from ...supernets.metric import Metric
from ...supernets.plugins import Registry
from ..config import SearchConfig
from ..errors import InvalidConfig, InvalidConstraint, UnknownName
from .constraint import Constraint
from .context import SearchContext
from .objective import Objective

INSTANCE = re.compile(r"[\w.-]*")  # empty: the one without a name


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
        if not isinstance(objective, Objective):
            raise TypeError(f"build returned {objective!r}; expected a gnomon.search.Objective")
    if "@" in name and objective.name != name:
        raise UnknownName(f"objective {family!r} has no instances, so {name!r} is none; write {family}", known=[family])
    return objective


def build_objectives(names: Sequence[str], context: SearchContext) -> tuple[Objective, ...]:
    """Build the objectives called `names`, in that order; raises UnknownName, MissingContext."""
    return tuple(build_objective(name, context) for name in names)


def build_watched(
    config: SearchConfig, context: SearchContext, *, user_objectives: Collection[str] = ()
) -> tuple[Objective, ...]:
    """Build what is constrained without being optimised, in order; it must be cheap, so that every value is exact.

    A user objective can only be constrained as an objective.
    Raises InvalidConstraint for something costly, or that is no objective at all; MissingContext.
    """
    watched: dict[str, Objective] = {}
    own = own_metric(context)
    families = (*OBJECTIVES.names(), *([own.name] if own else ()))
    for text in config.constraints:
        name = Constraint.name_in(text)
        if name in (*config.objectives, *watched, *user_objectives) or family_of(name) not in families:
            continue  # a name that nothing has is refused, with those there are, when the constraint is read
        watched[name] = build_objective(name, context)
        if watched[name].costly:
            raise InvalidConstraint(
                f"constraint {text!r} is on {name!r}, which takes running networks and is no objective of the search; "
                f"make it one: `objectives={','.join([*config.objectives, name])}`"
            )
    return tuple(watched.values())
