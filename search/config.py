"""The settings of a search, checked when they are made.

Defaults, bounds and descriptions stand in `settings.py` at the root, which the command line reads too. Names of
objectives, tactics and surrogates are checked by `tactic.check_names`, not here: a stored run must open where a third
party's tactic is not installed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, model_validator

from ..settings import SEARCH
from ..supernets.plugins import closest_hint
from .errors import InvalidConfig

Names = Annotated[tuple[str, ...], Field(strict=False)]  # TOML and JSON have lists, not tuples
STOPPING = ("budget", "stop_after_s", "stop_gain", "patience")  # when a run ends; no round depends on them


def setting(name: str) -> Any:
    """Return the field of a setting, with the default and the description that it has in `settings.SEARCH`."""
    return Field(default=SEARCH[name].default, description=SEARCH[name].help)


class SearchConfig(BaseModel):
    """Everything that decides a search's trajectory besides the context, and when it ends; immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    space: str = Field(description="Search space, as `gnomon spaces` lists them.")
    objectives: Names = setting("objectives")
    tactic: str = setting("tactic")
    algorithm: str = setting("algorithm")
    surrogate: str = setting("surrogate")
    population: int | None = setting("population")
    partial_share: float = setting("partial_share")
    budget: int = setting("budget")
    stop_after_s: float | None = setting("stop_after_s")
    stop_gain: float | None = setting("stop_gain")
    patience: int = setting("patience")
    inner_evaluations: int = setting("inner_evaluations")
    constraints: Names = setting("constraints")
    region: Names = setting("region")
    reference: Mapping[str, float] = Field(
        default_factory=dict, description="Reference point of hypervolume by objective; chosen where missing."
    )
    split: str = setting("split")
    seed: int = setting("seed")

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
    for name, setting in SEARCH.items():
        value = getattr(config, name)
        if fault := setting.fault(value):
            raise InvalidConfig(f"{name}={value}: {fault}", field=name)
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
