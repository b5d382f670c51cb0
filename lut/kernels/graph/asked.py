"""Reads the ONNX file that somebody asks about: whole, of fixed shapes, of known operators, and within its folder.

Nothing in the file is trusted. Weights may lie in files beside it, and nowhere else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx.external_data_helper import load_external_data_for_tensor

from ....inputs import fault_of_file
from ...errors import LutError
from .named import name_nodes

LARGEST_BYTES = (1 << 31) - 1  # what a protocol buffer can hold
DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft", "com.microsoft.nchwc", "org.pytorch.aten")
SHAPE = re.compile(r"([^=]+)=(\d+(?:x\d+)*)")
TYPICAL = {3: (1, 128, 128), 4: (1, 3, 224, 224)}  # sizes for the line to type, by rank
DENORMAL_SHARE = 0.001  # of a tensor's numbers, from which it is told


@dataclass(frozen=True)
class AskedModel:
    """A model with fixed shapes, its nodes named n0, n1 and so on.

    names: what each node was called in the file, or its operator where it had no name. notes: what a user should know
    about the file.
    """

    content: bytes
    names: tuple[str, ...]
    notes: tuple[str, ...]

    def original(self, name: str) -> str:
        """Return what the node called `name` here is called in the file."""
        return self.names[int(name[1:])] if re.fullmatch(r"n\d+", name) else name


def shapes_from_text(texts: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
    """Parse shapes as the command line gives them, images=1x3x320x320; raises LutError."""
    found = {}
    for text in texts:
        match = SHAPE.fullmatch(text)
        if match is None or "0" in match.group(2).split("x"):
            raise LutError(f"{text!r} is no shape of an input; expected NAME=SIZES, such as images=1x3x320x320")
        found[match.group(1)] = tuple(int(size) for size in match.group(2).split("x"))
    return found


def read_asked(path: str | Path, shapes: Mapping[str, tuple[int, ...]]) -> AskedModel:
    """Read a model and fix its inputs' shapes; raises LutError for what cannot be asked about, saying what to do."""
    path = Path(path)
    if fault := fault_of_file(path):
        raise LutError(f"{path} {fault}; expected an ONNX file")
    if path.stat().st_size > LARGEST_BYTES:
        raise LutError(
            f"{path} has {path.stat().st_size / 2**30:.1f} GiB; ONNX files end at 2 GiB, with weights beside"
        )
    try:
        model = onnx.load_from_string(path.read_bytes())
    except Exception as error:  # of the protocol buffers, whose errors share no base with names
        raise LutError(f"{path} is not an ONNX model: {error}") from error
    refuse_unreadable(path, model)
    if not model.graph.node or not model.opset_import:
        raise LutError(f"{path} is not an ONNX model: it has no {'nodes' if model.opset_import else 'operator set'}")
    refuse_custom(path, model)
    embed_external(path, model)
    fix_shapes(path, model, shapes)
    notes = tuple(notes_on(path, model))
    operators = [node.op_type for node in model.graph.node]
    before = name_nodes(model)
    try:
        content = model.SerializeToString()
    except Exception as error:  # likewise
        raise LutError(too_large(path)) from error
    names = tuple(name or f"{operator}#{at}" for at, (name, operator) in enumerate(zip(before, operators)))
    return AskedModel(content, names, notes)


def too_large(path: Path) -> str:
    """Say that a model with its weights is more than one file can hold."""
    return (
        f"{path} has more than 2 GiB with its weights; Gnomon hands models on as one file, and those end there. Ask "
        f"for parts of the model, or for one whose weights are whole numbers"
    )


def bytes_of_tensor(tensor: TensorProto) -> int:
    """Return how many bytes a constant takes, by its type and shape; 0 for a type that onnx does not know."""
    try:
        width = helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    except KeyError:
        return 0
    return int(width * math.prod(tensor.dims))


def refuse_unreadable(path: Path, message: Any) -> None:
    """Raise LutError for a text that is not UTF-8, at any depth: protocol buffers give such a one as bytes."""
    for field, value in message.ListFields():
        if field.type not in (field.TYPE_STRING, field.TYPE_MESSAGE):
            continue
        for one in value if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) else (value,):
            if isinstance(one, bytes):
                raise LutError(
                    f"{path} is not an ONNX model: {field.name} is {one[:40]!r}, which is no text in UTF-8. The file "
                    f"is damaged: copy it again, or export the model again"
                )
            if field.type == field.TYPE_MESSAGE:
                refuse_unreadable(path, one)


def refuse_custom(path: Path, model: onnx.ModelProto) -> None:
    """Raise LutError for operators that no runtime here brings."""
    own = {(function.domain, function.name) for function in model.functions}
    custom = sorted(
        {
            f"{node.domain}:{node.op_type}"
            for node in model.graph.node
            if node.domain not in DOMAINS and (node.domain, node.op_type) not in own
        }
    )
    if custom:
        raise LutError(
            f"{path} has operators that are not the runtime's own: {', '.join(custom[:5])}. Export it without them, or "
            f"cut the model before them"
        )


def tensors_of(model: onnx.ModelProto) -> Iterator[TensorProto]:
    """Yield the constants of a model, those of the graphs inside its nodes and of its functions too."""
    yield from tensors_of_graph(model.graph)
    for function in model.functions:
        yield from tensors_of_nodes(function.node)


def tensors_of_graph(graph: onnx.GraphProto) -> Iterator[TensorProto]:
    """Yield the constants of a graph."""
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    yield from tensors_of_nodes(graph.node)


def tensors_of_nodes(nodes: Iterable[onnx.NodeProto]) -> Iterator[TensorProto]:
    """Yield the constants that nodes hold as attributes."""
    for attribute in (attribute for node in nodes for attribute in node.attribute):
        if attribute.HasField("t"):
            yield attribute.t
        yield from attribute.tensors
        for sparse in (*attribute.sparse_tensors, *([attribute.sparse_tensor] * attribute.HasField("sparse_tensor"))):
            yield from (sparse.values, sparse.indices)
        for graph in (*attribute.graphs, *([attribute.g] * attribute.HasField("g"))):
            yield from tensors_of_graph(graph)


def embed_external(path: Path, model: onnx.ModelProto) -> None:
    """Read weights that lie beside the file into it; raises LutError for a place outside its folder, or none there."""
    folder = path.resolve().parent
    beside = 0
    for tensor in tensors_of(model):
        if tensor.data_location != TensorProto.EXTERNAL:
            continue
        location = {entry.key: entry.value for entry in tensor.external_data}.get("location", "")
        try:
            place = (folder / location).resolve()
        except (OSError, ValueError):  # no file can have that name
            place = folder
        if not location or folder not in place.parents:
            raise LutError(
                f"{path}: the weights {tensor.name!r} are said to be in {location!r}, outside the model's folder; "
                f"refused. Save the model again with its weights beside it"
            )
        if fault := fault_of_file(place):
            raise LutError(f"{path}: its weights are in {location!r}, which {fault}; copy them beside the model")
        beside += bytes_of_tensor(tensor)
        if beside > LARGEST_BYTES:  # known before they are read, which could take all memory
            raise LutError(too_large(path))
        try:
            load_external_data_for_tensor(tensor, str(folder))
        except Exception as error:
            raise LutError(f"{path}: the weights {tensor.name!r} cannot be read from {location}: {error}") from error
        tensor.data_location = TensorProto.DEFAULT
        del tensor.external_data[:]


def fix_shapes(path: Path, model: onnx.ModelProto, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Give the inputs the shapes that are asked for; raises LutError, with the line to type, where one is missing."""
    weights = {one.name for one in model.graph.initializer}
    inputs = {one.name: one for one in model.graph.input if one.name not in weights}
    if unknown := sorted(set(shapes) - set(inputs)):
        raise LutError(f"{path} has no input {unknown[0]!r}; its inputs are {', '.join(sorted(inputs))}")
    missing = []
    for name, value in inputs.items():
        if value.type.WhichOneof("value") != "tensor_type":
            raise LutError(f"{path}: input {name!r} is a {value.type.WhichOneof('value')}; expected tensors only")
        dims = value.type.tensor_type.shape.dim
        asked = shapes.get(name)
        if asked is not None:
            check_shape(path, name, dims, asked)
            del value.type.tensor_type.shape.dim[:]
            for size in asked:
                value.type.tensor_type.shape.dim.add().dim_value = size
        elif not value.type.tensor_type.HasField("shape") or any(dim.dim_value <= 0 for dim in dims):
            missing.append((name, [max(0, dim.dim_value) or dim.dim_param or "?" for dim in dims]))
    if missing:
        words = [("--shape", f"{name}={'x'.join(map(str, typical(sizes)))}") for name, sizes in missing]
        typed = " ".join(word for pair in words for word in pair)
        said = ", ".join(f"{name!r} is {' x '.join(map(str, sizes)) or 'of any shape'}" for name, sizes in missing)
        raise LutError(
            f"{path}: input {said}; a latency is of fixed sizes. "
            f"Say which: gnomon predict PROFILE --model {path} {typed}"
        )
    if shapes:
        del model.graph.value_info[:]
        for value in model.graph.output:
            value.type.tensor_type.ClearField("shape")


def check_shape(path: Path, name: str, dims: object, asked: tuple[int, ...]) -> None:
    """Raise LutError where a shape that is asked for is not one of the input's."""
    sizes = [max(0, dim.dim_value) for dim in dims]  # type: ignore[attr-defined]
    if sizes and (len(sizes) != len(asked) or any(size and size != want for size, want in zip(sizes, asked))):
        said = "x".join(str(size) if size else "?" for size in sizes)
        raise LutError(f"{path}: input {name!r} takes {said}; asked for {'x'.join(map(str, asked))}")


def typical(sizes: list[object]) -> list[object]:
    """Return sizes to suggest: those that are fixed, and usual ones for the others."""
    usual = TYPICAL.get(len(sizes), (1, *(128,) * (len(sizes) - 1)) if sizes else (1,))
    return [size if isinstance(size, int) and size else usual[at] for at, size in enumerate(sizes or usual)]


def numbers_of(path: Path, tensor: TensorProto) -> NDArray[np.float32]:
    """Return the numbers of weights; raises LutError where they are not as many as their shape says."""
    try:
        return np.asarray(numpy_helper.to_array(tensor), dtype=np.float32)
    except Exception as error:  # of onnx and numpy, for whatever a file may say of itself
        raise LutError(
            f"{path}: the weights {tensor.name!r} of shape {list(tensor.dims)} cannot be read: {error}. The file is "
            f"damaged: copy it again, or export the model again"
        ) from error


def notes_on(path: Path, model: onnx.ModelProto) -> Iterator[str]:
    """Yield sentences on what makes this file slower than it need be: weights as inputs, denormal weights.

    Raises LutError for weights that are not as many as their shape says.
    """
    weights = {one.name for one in model.graph.initializer}
    if both := [one.name for one in model.graph.input if one.name in weights]:
        yield (
            f"{len(both)} weights are also inputs of the graph, so the runtime takes them for no constants and fuses "
            f"less; export with them as initializers only"
        )
    slow = []
    for tensor in tensors_of(model):
        if tensor.data_type == TensorProto.FLOAT:
            bits = np.ascontiguousarray(numbers_of(path, tensor)).view(np.uint32)
            denormal = ((bits & 0x7F800000) == 0) & ((bits & 0x007FFFFF) != 0)
            if bits.size and denormal.mean() > DENORMAL_SHARE:
                slow.append(tensor.name or "a constant")
    if slow:
        yield (
            f"{len(slow)} weights hold denormal numbers (first {slow[0]!r}), with which processors compute many times "
            f"slower; the prediction does not know. Set them to zero: abs(w) < 1.2e-38"
        )
