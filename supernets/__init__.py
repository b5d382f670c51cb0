"""What to run: search spaces, layers, graphs and trained super-networks. This package never learns what time is."""

from .errors import CheckpointMismatch, DataUnavailable, InvalidArchitecture, SupernetError, UnknownSpace
from .layers.spec import LayerSpec
from .registry import load_space, space_names
from .space.slot import Choice, Slot
from .space.space import Architecture, SearchSpace

__all__ = [
    "Architecture",
    "CheckpointMismatch",
    "Choice",
    "DataUnavailable",
    "InvalidArchitecture",
    "LayerSpec",
    "SearchSpace",
    "Slot",
    "SupernetError",
    "UnknownSpace",
    "load_space",
    "space_names",
]
