"""The input sizes that Once-for-All's super-networks were trained for (arXiv 1908.09791)."""

from __future__ import annotations

from .errors import UnknownSpace

RESOLUTIONS = range(128, 225, 4)


def check_resolution(space: str, resolution: int) -> None:
    """Raise UnknownSpace unless the square input's side is one of `RESOLUTIONS`."""
    if resolution not in RESOLUTIONS:
        raise UnknownSpace(f"{space} has no resolution {resolution}; it takes 128 to 224 in steps of 4")
