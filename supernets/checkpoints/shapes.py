"""Shapes of tensors by name, and where two sets of them differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

Shapes = Mapping[str, tuple[int, ...]]


def shapes_of(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor."""
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def first_difference(
    expected: Shapes, found: Shapes
) -> tuple[str, tuple[int, ...] | None, tuple[int, ...] | None] | None:
    """Return the first tensor whose shape differs, as found and as expected (None: absent); None when all agree."""
    for name, shape in expected.items():
        if found.get(name) != shape:
            return name, found.get(name), shape
    for name, shape in found.items():
        if name not in expected:
            return name, shape, None
    return None
