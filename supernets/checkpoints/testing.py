"""Weights made by a formula of their name and position, to compare implementations of a network on.

No random generator's stream is part of any test then, and both sides can make the values by themselves.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor


def formula_values(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return values between -1 and 1, the same for the same name and shape: a sine's decimals, far behind the point."""
    phase = zlib.crc32(name.encode()) % 10007
    sine = np.sin(np.arange(int(np.prod(shape)), dtype=np.float64) * 12.9898 + phase) * 4375.85453
    return (2 * (sine - np.floor(sine)) - 1).reshape(shape).astype(np.float32)


def formula_weight(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return values that keep activations at unit scale in the place that name and shape suggest.

    A square matrix called "matrix" is near the identity, a vector called "weight" near one, other vectors near zero.
    """
    values = formula_values(name, shape)
    if name.endswith("_matrix"):
        return np.eye(*shape, dtype=np.float32) + values * np.float32(0.1)
    if len(shape) <= 1:
        return values * np.float32(0.2) + np.float32(name.endswith("weight"))
    fan_in = int(np.prod(shape[1:]))
    return values * np.float32((6 / fan_in) ** 0.5)


def formula_weights(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Return a state dict of formula-made tensors."""
    import torch

    return {name: torch.from_numpy(formula_weight(name, shape)) for name, shape in shapes.items()}


def formula_images(n: int, shape: tuple[int, ...]) -> Tensor:
    """Return `n` inputs of `shape`."""
    import torch

    return torch.from_numpy(formula_values("images", (n, *shape)) * np.float32(2))
