"""Hostile ONNX files made of a small one: bytes altered, and fields of its nodes, weights, inputs and operator sets."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .inputs import altered

PLACES = ("w.bin", "../w.bin", "/etc/passwd", "absent.bin", "", "a\0b", "x" * 5000, ".", "w.bin/inside", "\ud7ff")
NUMBERS = (0, 1, -1, 2, 7, 2**31 - 1, 2**31, 2**62, -(2**63))
TEXTS = ("", "x", "y", "w", "\0", "\x1b[2J", "Conv", "If", "Custom", "com.microsoft", "nowhere.org", "é" * 300)
RAW = 0.2  # of the files, bytes are altered


def small_model() -> bytes:
    """Return a model of a convolution and a matrix product, one of whose weights may be said to lie beside it."""
    weights = {
        "w": np.full((4, 3, 3, 3), 0.5, np.float32),
        "m": np.ones((4, 2), np.float32),
        "s": np.array([2], np.int64),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], kernel_shape=[3, 3]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["g"]),
        helper.make_node("Flatten", ["g"], ["f"]),
        helper.make_node("MatMul", ["f", "m"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 3, 8, 8))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 2))],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    content: bytes = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    ).SerializeToString()
    return content


def hostile_model(content: bytes, rng: np.random.Generator) -> bytes:
    """Return an ONNX file with something wrong, or something else that is right."""
    if rng.random() < RAW:
        return altered(content, rng)
    model = onnx.load_from_string(content)
    for _ in range(int(rng.integers(1, 4))):
        change(model, rng)
    changed: bytes = model.SerializeToString()
    return changed


def change(model: Any, rng: np.random.Generator) -> None:
    """Change one field somewhere in a message, at any depth; sometimes a weight is said to lie in another file."""
    if rng.random() < 0.1 and model.graph.initializer:
        tensor = drawn(model.graph.initializer, rng)
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (
            ("location", drawn(PLACES, rng)),
            ("offset", drawn(NUMBERS, rng)),
            ("length", drawn(NUMBERS, rng)),
        ):
            if rng.random() < 0.8:
                tensor.external_data.add(key=key, value=str(value))
        return
    message, depth = model, 0
    while True:
        set_fields = message.ListFields()
        if not set_fields:
            return
        field, value = drawn(set_fields, rng)
        is_list = hasattr(value, "append") or hasattr(value, "add")
        if is_list and len(value) and rng.random() < 0.15:
            del value[int(rng.integers(0, len(value)))]
            return
        if is_list and field.message_type is not None and len(value):
            if rng.random() < 0.15:
                value.add().CopyFrom(drawn(value, rng))
                return
            message = drawn(value, rng)
        elif field.message_type is not None:
            message = value
        else:
            scalar(message, field, value, is_list, rng)
            return
        depth += 1


def scalar(message: Any, field: Any, value: Any, is_list: bool, rng: np.random.Generator) -> None:
    """Set a field that holds a number, a text or bytes, or one of a list of them; what it cannot hold is left out."""
    one = value[0] if is_list and len(value) else value
    if isinstance(one, bytes):
        new: object = altered(one, rng)
    elif isinstance(one, str):
        new = drawn(TEXTS, rng)
    else:
        new = type(one)(drawn(NUMBERS, rng))
    try:
        if is_list and len(value):
            value[int(rng.integers(0, len(value)))] = new
        elif not is_list:
            setattr(message, field.name, new)
    except (ValueError, TypeError):
        return


def drawn(values: Any, rng: np.random.Generator) -> Any:
    """Return one of some values."""
    return values[int(rng.integers(0, len(values)))]
