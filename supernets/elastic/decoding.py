"""Elastic operations of a transformer that translates.

Its decoder runs in two ways with the same weights. Where the sides hold no `position`, it reads whole sentences
(batch, tokens), each token seeing those before it: for training. Where they do, it reads one token (batch, 1) there,
and keeps keys and values of those before among the sides, as the exported step keeps them in its caches.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from ..layers.decoding import (
    EARLIER,
    CachedSelfAttention,
    CrossAttention,
    CrossMemory,
    StepEmbedding,
    VocabularyProjection,
)
from ..layers.operations import Operation
from ..layers.sequences import MASKED
from .attention import ElasticAttention, ElasticProjection, attention
from .forward import Pass
from .normalisation import Statistics
from .operations import ElasticOperation, ElasticPool
from .tables import ReadsTable


def causal_mask(query: Tensor) -> Tensor:
    """Return what is added to the scores so that no token sees a later one, (tokens, tokens)."""
    tokens = query.shape[2]
    return torch.full((tokens, tokens), MASKED, dtype=query.dtype).triu(1)


class ElasticRemember(ElasticPool):
    """Keeps what comes in."""

    def apply_to(self, x: Tensor, operation: Operation, place: str, run: Pass) -> Tensor:
        """Leave the two latest inputs."""
        if EARLIER[0] in run.sides:
            run.sides[EARLIER[1]] = run.sides[EARLIER[0]]
        run.sides[EARLIER[0]] = x
        return x


class ElasticCrossMemory(ElasticOperation):
    """Keys and values of the encoder's last layers."""

    def __init__(self, variants: Sequence[CrossMemory]) -> None:
        super().__init__()
        width, inner = max(v.width for v in variants), max(v.inner for v in variants)
        self.key, self.value = ElasticProjection(inner, width), ElasticProjection(inner, width)

    def apply_to(self, x: Tensor, operation: Operation, place: str, run: Pass) -> Tensor:
        """Leave keys (batch, heads, head_dim, tokens), values (batch, heads, tokens, head_dim) and their mask."""
        assert isinstance(operation, CrossMemory)
        memory, attended = f"memory{run.numbered('memory')}", operation.attended
        encoded = torch.cat([x, *(run.sides[name] for name in EARLIER[: attended - 1])], dim=1)
        key, value = (
            projection(encoded, operation.inner).unflatten(-1, (operation.heads, operation.head_dim)).transpose(1, 2)
            for projection in (self.key, self.value)
        )
        run.sides[f"{memory}.key"], run.sides[f"{memory}.value"] = key.transpose(2, 3), value
        run.sides[f"{memory}.mask"] = torch.cat([run.sides["mask"]] * attended, dim=3)
        return x

    def folded(self, operation: Operation, place: str, statistics: Statistics) -> dict[str, Tensor]:
        """Slice both projections."""
        assert isinstance(operation, CrossMemory)
        key = self.key.folded(f"{operation.name}.key", operation.inner, operation.width)
        return key | self.value.folded(f"{operation.name}.value", operation.inner, operation.width)


class ElasticStepEmbedding(ReadsTable, ElasticOperation):
    """Vectors of the target's tokens."""

    def __init__(self, variants: Sequence[StepEmbedding]) -> None:
        super().__init__()
        self.want(variants[0].table, variants[0].vocabulary, max(v.width for v in variants))

    def apply_to(self, x: Tensor, operation: Operation, place: str, run: Pass) -> Tensor:
        """Look ids (batch, tokens) up, scale, add positions."""
        assert isinstance(operation, StepEmbedding)
        width, tokens = operation.width, x.shape[1]
        vectors = functional.embedding(x, self.shared[0].weight)[..., :width] * width**0.5
        positions = self.shared[0].offsets(operation.target, width)
        return run.dropped(
            vectors + (positions[run.sides["position"]] if "position" in run.sides else positions[:tokens])
        )

    def folded(self, operation: Operation, place: str, statistics: Statistics) -> dict[str, Tensor]:
        """Slice the table; compute the positions."""
        assert isinstance(operation, StepEmbedding)
        return {
            f"{operation.table}.tokens": self.table(operation.width),
            f"{operation.name}.positions": self.shared[0].offsets(operation.target, operation.width),
        }


class ElasticCachedSelfAttention(ElasticAttention):
    """Attention of each token to itself and those before."""

    def apply_to(self, x: Tensor, operation: Operation, place: str, run: Pass) -> Tensor:
        """Project, attend, project; in a step, the cache among the sides grows by one."""
        assert isinstance(operation, CachedSelfAttention)
        past = f"past{run.numbered('past')}"
        query, key, value = self.read(x, operation)
        stepwise = "position" in run.sides
        if stepwise:
            if f"{past}.key" in run.sides:
                key = torch.cat([run.sides[f"{past}.key"], key], dim=2)
                value = torch.cat([run.sides[f"{past}.value"], value], dim=2)
            run.sides[f"{past}.key"], run.sides[f"{past}.value"] = key, value
        return self.written(attention(query, key, value, None if stepwise else causal_mask(query)), operation)


class ElasticCrossAttention(ElasticAttention):
    """Attention of each token to the source's memory."""

    def apply_to(self, x: Tensor, operation: Operation, place: str, run: Pass) -> Tensor:
        """Project, attend to the memory, project."""
        assert isinstance(operation, CrossAttention)
        memory = f"memory{run.numbered('memory')}"
        key, value, mask = (run.sides[f"{memory}.{part}"] for part in ("key", "value", "mask"))
        (query,) = self.read(x, operation)
        return self.written(attention(query, key.transpose(2, 3), value, mask.to(query.dtype)), operation)


class ElasticVocabularyProjection(ReadsTable, ElasticOperation):
    """How likely each token is."""

    def __init__(self, variants: Sequence[VocabularyProjection]) -> None:
        super().__init__()
        self.want(variants[0].table, variants[0].vocabulary, max(v.width for v in variants))

    def apply_to(self, x: Tensor, operation: Operation, place: str, run: Pass) -> Tensor:
        """Multiply (batch, tokens, width) by the table, (batch, tokens, vocabulary)."""
        assert isinstance(operation, VocabularyProjection)
        return functional.linear(x, self.table(operation.width))

    def folded(self, operation: Operation, place: str, statistics: Statistics) -> dict[str, Tensor]:
        """Slice the table."""
        assert isinstance(operation, VocabularyProjection)
        return {f"{operation.table}.tokens": self.table(operation.width)}
