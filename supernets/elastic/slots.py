"""Sequences of elastic operations: what runs in a slot, and in the two paths of a residual block."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from ..errors import SupernetError
from ..layers.attention import SelfAttention
from ..layers.decoding import (
    CachedSelfAttention,
    CrossAttention,
    CrossMemory,
    Remember,
    StepEmbedding,
    VocabularyProjection,
)
from ..layers.kinds.module import ModuleOperation
from ..layers.operations import Conv, Linear, Operation, Residual, SqueezeExcite
from ..layers.pooling import AveragePool, GlobalAveragePool, MaxPool
from ..layers.sequences import FirstToken, MaskedMean, PatchEmbedding, TokenEmbedding
from ..layers.transformer import FeedForward, LayerNorm
from .attention import ElasticSelfAttention
from .decoding import (
    ElasticCachedSelfAttention,
    ElasticCrossAttention,
    ElasticCrossMemory,
    ElasticRemember,
    ElasticStepEmbedding,
    ElasticVocabularyProjection,
)
from .forward import Pass
from .module import ElasticModule
from .normalisation import Statistics
from .operations import (
    ACTIVATIONS,
    ElasticAveragePool,
    ElasticConv,
    ElasticGlobalAveragePool,
    ElasticLinear,
    ElasticMaxPool,
    ElasticOperation,
    ElasticSqueezeExcite,
)
from .sequences import ElasticFirstToken, ElasticMaskedMean, ElasticPatchEmbedding, ElasticTokenEmbedding
from .transformer import ElasticFeedForward, ElasticLayerNorm


class ElasticResidual(ElasticOperation):
    """A sequence, and its input or a shortcut's output added to what it gives."""

    def __init__(self, variants: Sequence[Residual]) -> None:
        super().__init__()
        self.body = ElasticSequence([variant.operations for variant in variants])
        self.shortcut = ElasticSequence([variant.shortcut for variant in variants])

    def apply_to(self, x: Tensor, operation: Operation, place: str, run: Pass) -> Tensor:
        """Run both paths, add and activate."""
        assert isinstance(operation, Residual)
        added = self.shortcut.apply_all(x, operation.shortcut, place, run)
        y = added + run.dropped(self.body.apply_all(x, operation.operations, place, run))
        return ACTIVATIONS[operation.activation](y)

    def folded(self, operation: Operation, place: str, statistics: Statistics) -> dict[str, Tensor]:
        """The arrays of both paths."""
        assert isinstance(operation, Residual)
        body = self.body.folded_all(operation.operations, place, statistics)
        return body | self.shortcut.folded_all(operation.shortcut, place, statistics)


class ElasticSequence(nn.Module):
    """The operations of one slot: one elastic module per operation name, sized for all variants."""

    def __init__(self, variants: Sequence[tuple[Operation, ...]]) -> None:
        super().__init__()
        grouped: dict[str, list[Operation]] = {}
        for operations in variants:
            for operation in operations:
                grouped.setdefault(name_of(operation), []).append(operation)
        self.steps = nn.ModuleDict({name: elastic_of(same) for name, same in grouped.items()})

    def step(self, operation: Operation) -> ElasticOperation:
        """Return the module that runs `operation`."""
        module = self.steps[name_of(operation)]
        assert isinstance(module, ElasticOperation)
        return module

    def apply_all(self, x: Tensor, operations: Sequence[Operation], place: str, run: Pass) -> Tensor:
        """Run the operations in order."""
        for operation in operations:
            x = self.step(operation).apply_to(x, operation, place, run)
        return x

    def folded_all(self, operations: Sequence[Operation], place: str, statistics: Statistics) -> dict[str, Tensor]:
        """Collect the operations' arrays."""
        arrays: dict[str, Tensor] = {}
        for operation in operations:
            arrays |= self.step(operation).folded(operation, place, statistics)
        return arrays


ELASTIC: dict[type, Callable[..., ElasticOperation]] = {
    Conv: ElasticConv,
    SqueezeExcite: ElasticSqueezeExcite,
    Linear: ElasticLinear,
    GlobalAveragePool: ElasticGlobalAveragePool,
    MaxPool: ElasticMaxPool,
    AveragePool: ElasticAveragePool,
    TokenEmbedding: ElasticTokenEmbedding,
    PatchEmbedding: ElasticPatchEmbedding,
    FirstToken: ElasticFirstToken,
    MaskedMean: ElasticMaskedMean,
    LayerNorm: ElasticLayerNorm,
    SelfAttention: ElasticSelfAttention,
    FeedForward: ElasticFeedForward,
    Remember: ElasticRemember,
    CrossMemory: ElasticCrossMemory,
    StepEmbedding: ElasticStepEmbedding,
    CachedSelfAttention: ElasticCachedSelfAttention,
    CrossAttention: ElasticCrossAttention,
    VocabularyProjection: ElasticVocabularyProjection,
    Residual: ElasticResidual,
    ModuleOperation: ElasticModule,
}


def elastic_of(variants: Sequence[Operation]) -> ElasticOperation:
    """Return the elastic module of operations of one type; another package's operations make their own.

    Raises SupernetError for an operation that has none.
    """
    kind = type(variants[0])
    make = ELASTIC.get(kind) or getattr(kind, "elastic", None)
    if make is None:
        raise SupernetError(
            f"operation {kind.__name__} has no torch counterpart; give the class a static method "
            "elastic(variants) that returns an ElasticOperation"
        )
    made: ElasticOperation = make(variants)
    return made


def name_of(operation: Operation) -> str:
    """Return the operation's name, or its kind where it has none."""
    return str(getattr(operation, "name", type(operation).__name__.lower()))
