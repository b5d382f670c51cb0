"""Architectures from what a person types."""

from __future__ import annotations

import numpy as np

from .errors import InvalidArchitecture
from .space import Architecture, SearchSpace


def architectures_from_text(space: SearchSpace, text: str, *, seed: int = 0) -> list[Architecture]:
    """Parse largest, smallest, random:N, or comma-separated option indices; raises InvalidArchitecture."""
    ends = {"smallest": np.zeros_like(space.radices), "largest": space.radices - 1}
    if text in ends:
        return [space.architecture(ends[text])]
    kind, _, count = text.partition(":")
    if kind == "random" and (count.isdigit() or not count):
        return [space.architecture(row) for row in space.sample(int(count or 1), np.random.default_rng(seed))]
    try:
        indices = [int(part) for part in text.split(",")]
    except ValueError as error:
        raise InvalidArchitecture(
            f"{text!r} is no architecture; expected largest, smallest, random:N, or "
            f"{len(space.choices)} option indices of {space.name} with commas between"
        ) from error
    return [space.architecture(indices)]
