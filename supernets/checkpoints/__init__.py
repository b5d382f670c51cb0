"""Checkpoints: ours, and the files that the authors of super-networks publish."""

from .files import read_tensors
from .load import absent, first_difference, load_checkpoint, named_as_ours, shapes_of
from .published import Published, PublishedFile, published_for

__all__ = [
    "Published",
    "PublishedFile",
    "absent",
    "first_difference",
    "load_checkpoint",
    "named_as_ours",
    "published_for",
    "read_tensors",
    "shapes_of",
]
