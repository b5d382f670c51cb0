"""The settings of a search, checked when they are made.

The field descriptions are the help of the command line's options. Names of objectives, tactics and surrogates are
checked by `tactic.check_names`, not here: a stored run must open where a third party's tactic is not installed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, model_validator

from ..supernets.plugins import closest_hint
from .errors import InvalidConfig

Names = Annotated[tuple[str, ...], Field(strict=False)]  # TOML and JSON have lists, not tuples
STOPPING = ("budget", "stop_after_s", "stop_gain", "patience")  # when a run ends; no round depends on them


class SearchConfig(BaseModel):
    """Everything that decides a search's trajectory besides the context, and when it ends; immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    space: str = Field(description="Search space, as `gnomon spaces` lists them.")
    objectives: Names = Field(default=("accuracy", "latency"), description="What to optimise, in this order.")
    tactic: str = Field(
        default="gnomon", description="How to choose what to measure: gnomon, linas, evolutionary, random."
    )
    algorithm: str = Field(
        default="auto",
        description="How linas and evolutionary breed: auto (ga for one objective, nsga2 for two, smsemoa for more), "
        "ga, cmaes, nsga2, agemoea2, smsemoa, moead, unsga3, ctaea.",
    )
    surrogate: str = Field(default="ridge", description="Predictor of costly objectives (linas): ridge, svr, gp.")
    population: int | None = Field(
        default=None, description="Full validations a round; by default what the tactic suits: gnomon 4, others 50."
    )
    partial_share: float = Field(
        default=0.1,
        description="Share of the examples of a partial (low-fidelity) evaluation; 1: none.",
    )
    budget: int = Field(default=250, description="Cost of the run in full validations, never exceeded.")
    stop_after_s: float | None = Field(default=None, description="Stop before the run has taken so many seconds.")
    stop_gain: float | None = Field(
        default=None, description="Stop between rounds when the hypervolume gains a smaller share, as 0.001."
    )
    patience: int = Field(default=20, description="Full validations over which `stop_gain` looks at the gain.")
    inner_evaluations: int = Field(default=20_000, description="Predicted architectures a round (linas).")
    constraints: Names = Field(default=(), description="Bounds that the front keeps, as latency<=2ms.")
    region: Names = Field(default=(), description="Where hypervolume counts, as latency<=12ms; nothing is forbidden.")
    reference: Mapping[str, float] = Field(
        default_factory=dict, description="Reference point of hypervolume by objective; chosen where missing."
    )
    split: str = Field(default="validation", description="Examples that a task's metric is searched on.")
    seed: int = Field(default=0, description="Seed of all randomness.")

    @model_validator(mode="wrap")
    @classmethod
    def explain(cls, data: Any, handler: ModelWrapValidatorHandler[SearchConfig]) -> SearchConfig:
        """Turn what pydantic finds into one InvalidConfig; names the closest field of an unknown one."""
        if isinstance(data, Mapping):
            check_fields(list(data))
        try:
            config = handler(data)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            raise InvalidConfig(f"{field}={first['input']!r}: {first['msg']}", field=field) from error
        check_values(config)
        return config


def check_fields(names: list[Any]) -> None:
    """Raise InvalidConfig for a field that no search has."""
    known = list(SearchConfig.model_fields)
    for name in names:
        if name not in known:
            hint = closest_hint(str(name), known)
            raise InvalidConfig(f"a search has no setting {name!r}{hint}; it has {', '.join(known)}", field=str(name))


def check_values(config: SearchConfig) -> None:
    """Raise InvalidConfig for numbers that make no search, and names given twice or not at all."""
    for field in ("population", "budget", "patience", "inner_evaluations"):
        value = getattr(config, field)
        if value is not None and value < 1:
            raise InvalidConfig(f"{field}={value}: it counts architectures, so it must be at least 1", field=field)
    if not 0 < config.partial_share <= 1:
        raise InvalidConfig(
            f"partial_share={config.partial_share}: it is a share of the examples, so above 0 and at most 1",
            field="partial_share",
        )
    for field in ("stop_after_s", "stop_gain"):
        value = getattr(config, field)
        if value is not None and not 0 < value < math.inf:
            raise InvalidConfig(f"{field}={value}: it must be above 0; leave it out never to stop by it", field=field)
    if config.seed < 0:
        raise InvalidConfig(f"seed={config.seed}: it must be 0 or more", field="seed")
    if not config.objectives:
        raise InvalidConfig("objectives is empty; name at least one, as accuracy,latency", field="objectives")
    if len(set(config.objectives)) < len(config.objectives):
        raise InvalidConfig(f"objectives={config.objectives}: one is named twice", field="objectives")
    for name in config.reference:
        if name not in config.objectives:
            hint = closest_hint(name, config.objectives)
            raise InvalidConfig(
                f"reference.{name}: not an objective of the search ({', '.join(config.objectives)}){hint}",
                field="reference",
            )
