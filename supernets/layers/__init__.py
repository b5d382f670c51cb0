"""Layer kinds, one file each: what a layer consists of, and so its MACs, parameters, graph and torch module."""

from .attention import SelfAttention
from .operations import Conv, Linear, Operation, Residual, SqueezeExcite
from .pooling import AveragePool, GlobalAveragePool, MaxPool
from .registry import layer_kinds, operations
from .sequences import FirstToken, MaskedMean, PatchEmbedding, TokenEmbedding
from .spec import LayerSpec
from .transformer import FeedForward, LayerNorm

__all__ = [
    "AveragePool",
    "Conv",
    "FeedForward",
    "FirstToken",
    "GlobalAveragePool",
    "LayerNorm",
    "LayerSpec",
    "Linear",
    "MaskedMean",
    "MaxPool",
    "Operation",
    "PatchEmbedding",
    "Residual",
    "SelfAttention",
    "SqueezeExcite",
    "TokenEmbedding",
    "layer_kinds",
    "operations",
]
