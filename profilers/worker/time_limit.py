"""How long a visit may take before it counts as hung: many times what the model's own earlier visits took.

A runtime that hangs would else hold a run for ever. The limit is wide, because nothing depends on when it ends what
would never end, and because a model that is slow must not be lost to it.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Callable, ContextManager, Iterable

from ..results.visits import Visit

TimeLimit = Callable[[float], ContextManager[None]]

WIDE = 20.0  # times longer than the longest visit so far
LEAST_S = 30.0  # a model was visited before, and needs nothing that could take longer
FIRST_LEAST_S = 60.0  # it was not, and may have to be compiled


def unlimited(limit_s: float) -> ContextManager[None]:
    """Let a visit take as long as it will."""
    return nullcontext()


def limit_s(key: str, visits: Iterable[Visit], *, cap_s: float) -> float:
    """Return how long the next visit to a model may take, in seconds, after ``visits`` to this and to other models.

    A first visit may take as long as the whole run may, ``cap_s``, or longer than any before.
    """
    taken = [(visit.key, duration_s(visit)) for visit in visits]
    own = [seconds for name, seconds in taken if name == key]
    if own:
        return max(LEAST_S, WIDE * max(own))
    return max([FIRST_LEAST_S, cap_s, *(WIDE * seconds for _, seconds in taken)])


def duration_s(visit: Visit) -> float:
    """Return how long a visit took, what was run to warm up left out."""
    return visit.load_ms / 1e3 + sum(visit.block_us) * visit.loops / 1e6
