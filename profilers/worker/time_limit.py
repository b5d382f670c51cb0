"""How long a visit may take before it counts as hung: many times what the model's own earlier visits took.

A runtime that hangs would else hold a run for ever. The limit is wide, because nothing depends on when it ends what
would never end, and because a model that is slow must not be lost to it.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Callable, ContextManager, Dict, Iterable

from ..results.visits import Visit

TimeLimit = Callable[[float], ContextManager[None]]

WIDE = 20.0  # times longer than the longest visit so far
LEAST_S = 30.0  # a model was visited before, and needs nothing that could take longer
FIRST_LEAST_S = 60.0  # it was not, and may have to be compiled


def unlimited(limit_s: float) -> ContextManager[None]:
    """Let a visit take as long as it will."""
    return nullcontext()


class VisitLimits:
    """How long the next visit to a model may take, after visits to it and to others; a run may take ``cap_s``."""

    def __init__(self, visits: Iterable[Visit], *, cap_s: float) -> None:
        self._cap_s = cap_s
        self._longest_s: Dict[str, float] = {}
        for visit in visits:
            self.note(visit)

    def note(self, visit: Visit) -> None:
        """Count one more visit."""
        self._longest_s[visit.key] = max(self._longest_s.get(visit.key, 0.0), duration_s(visit))

    def limit_s(self, key: str) -> float:
        """Return how long the next visit to a model may take, in seconds.

        A first visit may take as long as the whole run may, or longer than any before.
        """
        if key in self._longest_s:
            return max(LEAST_S, WIDE * self._longest_s[key])
        return max([FIRST_LEAST_S, self._cap_s, *(WIDE * seconds for seconds in self._longest_s.values())])


def duration_s(visit: Visit) -> float:
    """Return how long a visit took, what was run to warm up left out."""
    return visit.load_ms / 1e3 + sum(visit.block_us) * visit.loops / 1e6
