"""A finding, and the plain table that most checks look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ...supernets import LayerSpec
from ...supernets.errors import SupernetError
from ...supernets.layers.registry import output_shape

LARGEST_SIZE = 1_000_000  # of a dimension or a number of channels

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with a table: `name` for programs, `text` for people, and the layers it is about.

    An error says that latencies read from the table are wrong or absent; a warning, that they may be.
    """

    severity: Severity
    name: str
    text: str
    keys: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a JSON object."""
        return {"severity": self.severity, "name": self.name, "text": self.text, "keys": list(self.keys)}


@dataclass(frozen=True)
class Rows:
    """Latencies by layer key, in microseconds; of any sign, as a file may hold them.

    `spread_us` is how far repeats of a layer lie apart, where that is known. `peak_macs_per_s` is what the device can
    do at the very most. `specs` holds the layers whose keys can be read.
    """

    value_us: Mapping[str, float]
    spread_us: Mapping[str, float] = field(default_factory=dict)
    peak_macs_per_s: float = 1e15
    specs: Mapping[str, LayerSpec] = field(init=False)

    def __post_init__(self) -> None:
        found = {key: spec_of(key) for key in self.value_us}
        object.__setattr__(self, "specs", {key: spec for key, spec in found.items() if spec is not None})

    def without(self, findings: Iterable[Finding]) -> Rows:
        """Return the rows that no finding names, so that one fault is not found twice."""
        named = {key for finding in findings for key in finding.keys}
        kept = {key: value for key, value in self.value_us.items() if key not in named}
        return Rows(kept, self.spread_us, self.peak_macs_per_s)


def spec_of(key: str) -> LayerSpec | None:
    """Return the layer that `key` names; None when it is no layer's key, or of sizes that no layer has."""
    try:
        spec = LayerSpec.from_key(key)
        numbers = [value for _, value in spec.attributes if isinstance(value, int)]
        sizes = [size for one in spec.all_inputs for size in one.shape]
        is_sane = max((*sizes, *numbers), default=1) <= LARGEST_SIZE and min(sizes, default=1) > 0
        if not is_sane:
            return None
        output_shape(spec)  # raises for attributes that make no layer
        return spec
    except (SupernetError, ArithmeticError, ValueError):
        return None


def has_errors(findings: Iterable[Finding]) -> bool:
    """Tell whether any finding is an error."""
    return any(finding.severity == "error" for finding in findings)


def examples(keys: Iterable[str], n: int = 3) -> str:
    """Name the first `n` keys and how many more there are."""
    listed = tuple(keys)
    more = f" and {len(listed) - n} more" if len(listed) > n else ""
    return ", ".join(listed[:n]) + more
