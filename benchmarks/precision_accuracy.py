"""What int8 costs in accuracy, on processors of both kinds: the shipped weights on the embedded test images.

    python benchmarks/precision_accuracy.py --random 18

fp32 is torch's, int8 by running the quantised file, its ranges from 128 training images; nothing is fine-tuned. Weights
have 8 bits, as processors with VNNI or dot products take them, or 7, as all others need. Each file is run by its Q/DQ
pairs in fp32, which is what it says, and by the integer kernels of ONNX Runtime and OpenVINO here. OpenVINO is run once
more in a child process that may use AVX2 alone (ONEDNN_MAX_CPU_ISA, x86 only): the other kind of processor.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from environment import print_environment, spread
from numpy.typing import NDArray

from gnomon.lut.latency_model.verification import spearman
from gnomon.supernets.data.labelled import batches_of, top1_percent
from gnomon.supernets.precision import kernels
from gnomon.supernets.precision.formats import int8
from gnomon.supernets.precision.runtimes import onnxruntime_runner, openvino_runner
from gnomon.supernets.space.parse import architectures_from_text
from gnomon.supernets.supernet import load_supernet

Run = Callable[[bytes], Callable[[dict[str, Any]], dict[str, Any]]]

BATCH = 100
MASK = {"ONEDNN_MAX_CPU_ISA": "AVX2"}


def main() -> None:
    """Evaluate the smallest, the largest and random sub-networks in all ways, and print the differences to fp32."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--random", type=int, default=18, help="random sub-networks")
    parser.add_argument("--masked", action="store_true", help=argparse.SUPPRESS)  # the child process
    arguments = parser.parse_args()
    texts = ("smallest", "largest", f"random:{arguments.random}")
    if arguments.masked:
        for bits in (8, 7):
            print(*(value for value, _ in accuracies(texts, bits, openvino)))
        return
    print_environment()
    print(f"onnxruntime here takes weights in {kernels.weight_bits_here()} bits")
    supernet = load_supernet("fashion_mnist")
    chosen = [one for text in texts for one in architectures_from_text(supernet.space, text)]
    began = time.monotonic()
    fp32 = np.array([supernet.evaluate(one, "test") for one in chosen])
    seconds = (time.monotonic() - began) / len(chosen)
    print(f"{len(chosen)} sub-networks, {supernet.size('test'):,} test images; seconds a network are of running alone")
    print(f"fp32 by torch: smallest {fp32[0]:.2f} %, largest {fp32[1]:.2f} %, {seconds:.2f} s; int8 loses, in points:")
    masked = masked_accuracies(arguments.random)
    for bits in (8, 7):
        found: dict[str, list[tuple[float, float]]] = {
            "Q/DQ in fp32": list(accuracies(texts, bits, int8.exact_runner)),
            "onnxruntime": list(accuracies(texts, bits, onnxruntime_runner)),
            "openvino": list(accuracies(texts, bits, openvino)),
        }
        for name, pairs in found.items():
            values, each_s = (np.array(column) for column in zip(*pairs))
            print(line(f"{bits} bits, {name}", fp32, values) + f", {each_s.mean():.2f} s")
        if masked:
            print(line(f"{bits} bits, openvino with AVX2 alone", fp32, np.array(masked[bits])))


def accuracies(texts: Sequence[str], bits: int, load: Run) -> Iterator[tuple[float, float]]:
    """Yield each sub-network's accuracy in percent by a runner of its int8 file, and the seconds that running took."""
    supernet = load_supernet("fashion_mnist", weight_bits=bits)
    data = supernet.split("test")
    for text in texts:
        for architecture in architectures_from_text(supernet.space, text):
            (part,) = supernet.models(architecture, batch=BATCH, precision="int8")
            run, began = load(part.model), time.monotonic()
            rows = [
                run({"input": np.ascontiguousarray(images.numpy())})["output"] for images in batches_of(data, BATCH)
            ]
            yield top1_percent(np.concatenate(rows), data.labels), time.monotonic() - began


def openvino(model: bytes) -> Any:
    """Load a model in OpenVINO."""
    return openvino_runner(model, hint="f32", capability="FP32")


def masked_accuracies(random: int) -> dict[int, list[float]]:
    """Return OpenVINO's accuracies with AVX2 alone by bits of weights, from a child process."""
    command = [sys.executable, __file__, "--random", str(random), "--masked"]
    done = subprocess.run(command, env={**os.environ, **MASK}, check=True, capture_output=True, text=True)
    return {bits: [float(word) for word in text.split()] for bits, text in zip((8, 7), done.stdout.splitlines())}


def line(name: str, fp32: NDArray[np.float64], found: NDArray[np.float64]) -> str:
    """Say what a way loses."""
    drops = fp32 - found
    return (
        f"{name:34s} smallest {found[0]:.2f} %; mean {drops.mean():.2f}, {spread(drops)}, worst {drops.max():.2f}; "
        f"Spearman with fp32 {spearman(fp32, found):.2f}"
    )


if __name__ == "__main__":
    main()
