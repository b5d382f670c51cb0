"""What a device told of itself while it was timed, such as clocks: recorded to explain times, never part of a key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Sequence


@dataclass(frozen=True)
class DeviceState:
    """What the device told, ``t_s`` seconds into a session."""

    values: Mapping[str, Any]
    session: str
    t_s: float


def summary_of(conditions: Sequence[DeviceState]) -> Dict[str, Any]:
    """Return each field over all readings: numbers as [lowest, highest], lists as the share of readings naming each.

    Texts are listed, each once; what was never told is left out.
    """
    told: Dict[str, List[Any]] = {}
    for then in conditions:
        for name, value in then.values.items():
            if value is not None:
                told.setdefault(name, []).append(value)
    return {name: _summary(values) for name, values in told.items()}


def _summary(values: Sequence[Any]) -> Any:
    if all(isinstance(value, (int, float)) for value in values):
        return [min(values), max(values)]
    if all(isinstance(value, (list, tuple)) for value in values):
        named = sorted({name for value in values for name in value})
        return {name: round(sum(name in value for value in values) / len(values), 3) for name in named}
    return list(dict.fromkeys(str(value) for value in values))


def sentence_of(summary: Mapping[str, Any]) -> str:
    """Say a summary in one line."""
    return "; ".join(f"{name.replace('_', ' ')} {_said(value)}" for name, value in sorted(summary.items()))


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {share:.0%} of the time" for name, share in value.items()) or "nothing"
    return " to ".join(dict.fromkeys(f"{item:g}" if isinstance(item, (int, float)) else str(item) for item in value))
