"""Elastic operations that make a sequence of vectors, or one vector of a sequence."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..layers.operations import Operation
from ..layers.sequences import MASKED, PatchEmbedding, TokenEmbedding
from .forward import Pass
from .normalisation import Statistics
from .operations import ElasticOperation, ElasticPool
from .tables import ReadsTable, sinusoids


class ElasticTokenEmbedding(ReadsTable, ElasticOperation):
    """Vectors of tokens, positions and the first token type; the tokens' may be those of a shared table."""

    def __init__(self, variants: Sequence[TokenEmbedding]) -> None:
        super().__init__()
        width, self.limit = max(v.width for v in variants), max(v.limit for v in variants)
        vocabulary = max(v.vocabulary for v in variants)
        if variants[0].table:
            self.want(variants[0].table, vocabulary, width)
        else:
            self.tokens = nn.Parameter(torch.randn(vocabulary, width) * width**-0.5)
        if self.limit:
            self.positions = nn.Parameter(torch.randn(self.limit, width) * 0.02)
        if any(v.types for v in variants):
            self.types = nn.Parameter(torch.zeros(1, width))

    def apply_to(self, x: Tensor, operation: Operation, place: str, run: Pass) -> Tensor:
        """Look ids (batch, tokens) up and leave the mask; they may be fewer than the operation says."""
        assert isinstance(operation, TokenEmbedding)
        run.sides["mask"] = (x == operation.padding_id)[:, None, None, :].float() * MASKED
        vectors = functional.embedding(x, self.vectors)[..., : operation.width] * self.scale(operation)
        return run.dropped(vectors + self.offsets(operation, x.shape[1]))

    @property
    def vectors(self) -> Tensor:
        """The tokens' vectors, (vocabulary, largest width)."""
        return self.shared[0].weight if self.shared else self.tokens

    def scale(self, operation: TokenEmbedding) -> float:
        """Return what the tokens' vectors are multiplied by."""
        return float(operation.width**0.5) if operation.scaled else 1.0

    def offsets(self, operation: TokenEmbedding, tokens: int) -> Tensor:
        """Return what is added at each position, (tokens, width)."""
        width = operation.width
        if not operation.limit:
            return self.shared[0].offsets(tokens, width) if self.shared else sinusoids(tokens, width)
        positions = self.positions[:tokens, :width]
        return positions + self.types[:, :width] if operation.types else positions

    def folded(self, operation: Operation, place: str, statistics: Statistics) -> dict[str, Tensor]:
        """Scale the tokens' table; add the type to the positions."""
        assert isinstance(operation, TokenEmbedding)
        return {
            f"{operation.name}.tokens": self.vectors[:, : operation.width] * self.scale(operation),
            f"{operation.name}.positions": self.offsets(operation, operation.tokens),
        }


class ElasticPatchEmbedding(ElasticOperation):
    """Patches, class token and positions."""

    def __init__(self, variants: Sequence[PatchEmbedding]) -> None:
        super().__init__()
        largest = max(variants, key=lambda variant: variant.width)
        self.patch = nn.Conv2d(largest.channels, largest.width, largest.patch, largest.patch)
        self.token = nn.Parameter(torch.zeros(1, 1, largest.width))
        self.positions = nn.Parameter(torch.randn(largest.tokens, largest.width) * 0.02)

    def apply_to(self, x: Tensor, operation: Operation, place: str, run: Pass) -> Tensor:
        """Convolve, lay out as a sequence, put the class token first, add positions."""
        assert isinstance(operation, PatchEmbedding)
        kernel, bias, token, positions = self.folded(operation, place, {}).values()
        patches = functional.conv2d(x, kernel, bias, stride=operation.patch).flatten(2).transpose(1, 2)
        return torch.cat([token.expand(len(x), -1, -1), patches], dim=1) + positions

    def folded(self, operation: Operation, place: str, statistics: Statistics) -> dict[str, Tensor]:
        """Slice all arrays."""
        assert isinstance(operation, PatchEmbedding)
        assert self.patch.bias is not None
        name, width = operation.name, operation.width
        return {
            f"{name}.patch.weight": self.patch.weight[:width],
            f"{name}.patch.bias": self.patch.bias[:width],
            f"{name}.class": self.token[..., :width],
            f"{name}.positions": self.positions[:, :width],
        }


class ElasticFirstToken(ElasticPool):
    """The vector of the first token."""

    def apply_to(self, x: Tensor, operation: Operation, place: str, run: Pass) -> Tensor:
        """Take the first of (batch, tokens, width)."""
        return x[:, 0]


class ElasticMaskedMean(ElasticPool):
    """The mean over the tokens that are not padding."""

    def apply_to(self, x: Tensor, operation: Operation, place: str, run: Pass) -> Tensor:
        """Average (batch, tokens, width) over the tokens that count."""
        counted = (run.sides["mask"][:, 0, 0, :, None] > MASKED / 2).to(x.dtype)
        return (x * counted).sum(1) / counted.sum(1)
