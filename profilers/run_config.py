"""How a model is run: batch, threads, precision and device, the same for every runtime."""

from __future__ import annotations

import difflib
from dataclasses import asdict, dataclass, fields
from typing import Any, Dict, Mapping

PRECISIONS = ("fp32", "fp16", "bf16", "int8")


@dataclass(frozen=True)
class RunConfig:
    """Under which conditions a model is timed; each field changes the time, so each is part of every key.

    device: the kind of processor, which follows from the backend (`registry.device_of`). precision: what weights and
    activations are kept in; a model's file says it too (fp16, int8), or the runtime is told (bf16).
    """

    device: str = "cpu"
    precision: str = "fp32"
    threads: int = 1
    batch: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.device, str) or not self.device:
            raise ValueError(f"device is {self.device!r}; expected a name such as 'cpu'")
        if self.precision not in PRECISIONS:
            closest = difflib.get_close_matches(str(self.precision), PRECISIONS, n=1)
            hint = f"; did you mean {closest[0]!r}?" if closest else ""
            raise ValueError(f"precision is {self.precision!r}; expected one of {', '.join(PRECISIONS)}{hint}")
        for name in ("threads", "batch"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name} is {value!r}; expected a whole number of at least 1")

    def to_json(self) -> Dict[str, Any]:
        """Return the fields as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RunConfig:
        """Return the configuration written by `to_json`; ValueError for a missing, unknown or invalid field."""
        known = {field.name for field in fields(cls)}
        if set(data) != known:
            raise ValueError(f"a run configuration has the fields {sorted(known)}; found {sorted(data)}")
        return cls(**data)
