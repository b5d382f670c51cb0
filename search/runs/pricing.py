"""That the latencies of a run are another profile's than it was searched with."""

from __future__ import annotations

from dataclasses import dataclass

from .files.records import RunHeader


@dataclass(frozen=True)
class Pricing:
    """That a run's latencies are another profile's: the description that its folder has, and what was done."""

    header: RunHeader
    said: str

    def __str__(self) -> str:
        return self.said
