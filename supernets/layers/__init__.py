"""Layer kinds, one file each: what a layer consists of, and so its MACs, parameters, graph and torch module."""

from .operations import Conv, GlobalAveragePool, Linear, Operation, Residual, SqueezeExcite
from .registry import layer_kinds, operations
from .spec import LayerSpec

__all__ = [
    "Conv",
    "GlobalAveragePool",
    "LayerSpec",
    "Linear",
    "Operation",
    "Residual",
    "SqueezeExcite",
    "layer_kinds",
    "operations",
]
