"""Architectures from what a person types."""

from __future__ import annotations

import numpy as np

from ..errors import InvalidArchitecture
from ..plugins import closest_hint
from .space import Architecture, SearchSpace

WORDS = ("largest", "smallest", "random")
MOST_RANDOM = 100_000  # architectures drawn at once: each is listed


def architectures_from_text(space: SearchSpace, text: str, *, seed: int = 0) -> list[Architecture]:
    """Parse largest, smallest, random:N, or comma-separated option indices; raises InvalidArchitecture."""
    ends = {"smallest": np.zeros_like(space.radices), "largest": space.radices - 1}
    if text in ends:
        return [space.architecture(ends[text])]
    kind, _, count = text.partition(":")
    if kind == "random":
        n = count_from_text(text, count)
        return [space.architecture(row) for row in space.sample(n, np.random.default_rng(seed))]
    try:
        indices = [int(part) for part in text.split(",")]
    except ValueError as error:
        raise InvalidArchitecture(
            f"{text!r} is no architecture; expected largest, smallest, random:N, or "
            f"{len(space.choices)} option indices of {space.name} with commas between{closest_hint(kind, WORDS)}"
        ) from error
    return [space.architecture(indices)]


def count_from_text(text: str, count: str) -> int:
    """Return the N of random:N, 1 for none; raises InvalidArchitecture unless it is a number that can be listed."""
    digits = count.isascii() and count.isdigit()
    n = 1 if not count else int(count) if digits and len(count) <= len(str(MOST_RANDOM)) else 0
    if not 1 <= n <= MOST_RANDOM:
        shown = text if len(text) <= 40 else f"{text[:40]}..."
        raise InvalidArchitecture(f"{shown!r}: expected random:N with N from 1 to {MOST_RANDOM}, as random:3")
    return n
