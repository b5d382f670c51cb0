"""Options that several spaces have: the input sizes that Once-for-All trained for (arXiv 1908.09791), and classes."""

from __future__ import annotations

from ..errors import UnknownSpace

RESOLUTIONS = range(128, 225, 4)
IMAGENET = 1000  # classes


def check_resolution(space: str, resolution: int) -> None:
    """Raise UnknownSpace unless the square input's side is one of `RESOLUTIONS`."""
    if resolution not in RESOLUTIONS:
        raise UnknownSpace(f"{space} has no resolution {resolution}; it takes 128 to 224 in steps of 4")


def check_classes(space: str, classes: int) -> None:
    """Raise UnknownSpace for fewer classes than two."""
    if classes < 2:
        raise UnknownSpace(f"{space} with classes={classes}; at least two are needed")
