"""How much slower the same graph runs where its weights are denormal, which a table of made-up weights cannot see.

The largest sub-network of `fashion_mnist`, in each runtime: as Gnomon times it; with every convolution's weights scaled
to denormal numbers (1e-40); with one convolution's alone, the largest; and with the same weights flushed to zero.
Variants are visited in turns, and medians of visits are compared.
"""

from __future__ import annotations

import argparse

import numpy as np
import onnx
from environment import print_environment, spread
from onnx import numpy_helper

from gnomon.profilers import RunConfig
from gnomon.profilers.runtimes.registry import device_of, load_backend
from gnomon.supernets import load_space
from gnomon.supernets.graph import models_from_architecture

SCALE = np.float32(1e-40)  # the smallest normal number in fp32 is 1.2e-38
VISITS, LOOPS = 25, 10


def main() -> None:
    """Print microseconds an inference by runtime and variant."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--backend", nargs="+", default=["onnxruntime", "openvino"])
    backends = arguments.parse_args().backend
    print_environment()
    variants = variants_of(largest())
    for name in backends:
        backend = load_backend(name)
        config = RunConfig(device=device_of(name))
        loaded = {variant: backend.load(model, config) for variant, model in variants.items()}
        found: dict[str, list[float]] = {variant: [] for variant in loaded}
        for _ in range(VISITS):
            for variant, executable in loaded.items():
                executable.elapsed_ns(5)
                found[variant].append(executable.elapsed_ns(LOOPS) / LOOPS / 1000)
        for variant, values in found.items():
            ratio = np.median(values) / np.median(found["as timed"])
            print(f"{name:12s} {variant:34s} us: {spread(values)}; {ratio:.3g} x")


def largest() -> onnx.ModelProto:
    """Return the model of the largest sub-network, with made-up weights."""
    space = load_space("fashion_mnist")
    (part,) = models_from_architecture(space, space.architecture(space.radices - 1))
    return onnx.load_from_string(part.model)


def variants_of(model: onnx.ModelProto) -> dict[str, bytes]:
    """Return models by name; all have the same graph."""
    kernels = [one.name for one in model.graph.initializer if len(one.dims) == 4]
    sizes = {one.name: int(np.prod(one.dims)) for one in model.graph.initializer}
    biggest = max(kernels, key=lambda name: sizes[name])
    return {
        "as timed": model.SerializeToString(),
        f"all {len(kernels)} convolutions denormal": scaled(model, kernels, SCALE),
        f"one convolution denormal ({sizes[biggest]:,})": scaled(model, [biggest], SCALE),
        "all convolutions zero": scaled(model, kernels, np.float32(0)),
    }


def scaled(model: onnx.ModelProto, names: list[str], by: np.float32) -> bytes:
    """Return the model with some of its weights multiplied."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for one in copy.graph.initializer:
        if one.name in names:
            one.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(one) * by, one.name))
    return copy.SerializeToString()


if __name__ == "__main__":
    main()
