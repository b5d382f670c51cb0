"""Inputs that a model is calibrated on: a mapping from input name to array each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..layers.values import ranges_from_properties

Sample = Mapping[str, NDArray[Any]]
Samples = Iterable[Sample]


def synthetic_samples(model: Any) -> tuple[Sample, ...]:
    """Return one made-up input of an ONNX model, always the same: uniform in [-1, 1], and where ids go in 0 or 1.

    Or ids of the range that the model says an input has.
    """
    from onnx import helper

    rng = np.random.default_rng(0)
    ranges = ranges_from_properties({one.key: one.value for one in model.metadata_props})
    found: dict[str, NDArray[Any]] = {}
    for info in model.graph.input:
        tensor = info.type.tensor_type
        shape = tuple(size.dim_value for size in tensor.shape.dim)
        dtype = helper.tensor_dtype_to_np_dtype(tensor.elem_type)
        is_float = np.issubdtype(dtype, np.floating)
        least, end = ranges.get(info.name, (0, 2))
        values = rng.uniform(-1.0, 1.0, shape) if is_float else rng.integers(least, end, shape)
        found[info.name] = values.astype(dtype)
    return (found,)
