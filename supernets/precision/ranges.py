"""How large the values of a network get: found by running it on samples in ONNX Runtime.

The smallest and largest are taken inside the graph, so a sample hands back two numbers a tensor and no tensor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import SupernetError
from .runtimes import onnxruntime_session
from .samples import Samples


def magnitudes(model: Any, tensors: Sequence[str], samples: Samples) -> dict[str, float]:
    """Return the largest absolute value of each tensor of an ONNX model over all samples, at least one.

    Raises SupernetError for samples that do not fit the model or lead to values that are not finite.
    """
    from onnx import TensorProto, helper

    observed = type(model)()
    observed.CopyFrom(model)
    del observed.graph.output[:]
    for number, name in enumerate(tensors):
        for word, operator in (("least", "ReduceMin"), ("most", "ReduceMax")):
            value = f"{word}.{number}"
            observed.graph.node.append(helper.make_node(operator, [name], [value], keepdims=0))
            observed.graph.output.append(helper.make_tensor_value_info(value, TensorProto.FLOAT, ()))
    session = onnxruntime_session(observed.SerializeToString())
    try:
        found = np.array([session.run(None, dict(sample)) for sample in samples], np.float32)
    except Exception as error:  # the runtime's errors share no base but Exception
        raise SupernetError(f"the model cannot be run on its calibration samples: {error}") from error
    if not found.size or not np.isfinite(found).all():
        raise SupernetError(f"{len(found)} calibration samples lead to values that are not finite, or to none")
    largest = np.abs(found).max(axis=0)
    return {name: float(max(pair)) for name, pair in zip(tensors, largest.reshape(-1, 2))}
