"""Checkpoints: ours, and the files that the authors of super-networks publish."""

from .advice import absent, ways_to_weights
from .files import read_tensors
from .load import load_checkpoint
from .published import Published, PublishedFile, published_for
from .shapes import first_difference, shapes_of
from .translation import named_as_ours

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
    "ways_to_weights",
]
