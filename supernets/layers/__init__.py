"""Layer kinds, one file each: what a layer consists of, and so its MACs, parameters, graph and torch module."""

from .operations import Conv, Linear, Operation, Residual, SqueezeExcite
from .pooling import AveragePool, GlobalAveragePool, MaxPool
from .registry import layer_kinds, operations
from .spec import LayerSpec

__all__ = [
    "AveragePool",
    "Conv",
    "GlobalAveragePool",
    "LayerSpec",
    "Linear",
    "MaxPool",
    "Operation",
    "Residual",
    "SqueezeExcite",
    "layer_kinds",
    "operations",
]
