"""What int8 costs in accuracy: the shipped weights on the embedded test images, in fp32 and truly in int8.

    python benchmarks/precision_accuracy.py --random 18

Both are what `Supernet.evaluate` says: fp32 by torch, int8 by running the quantised file in ONNX Runtime, its ranges
from 128 training images. Nothing is fine-tuned.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from environment import print_environment, spread

from gnomon.lut.verification import spearman
from gnomon.supernets.parse import architectures_from_text
from gnomon.supernets.supernet import load_supernet


def main() -> None:
    """Evaluate the smallest, the largest and random sub-networks in both, and print the differences."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--random", type=int, default=18, help="random sub-networks")
    arguments = parser.parse_args()
    print_environment()
    supernet = load_supernet("fashion_mnist")
    texts = ("smallest", "largest", f"random:{arguments.random}")
    chosen = [architecture for text in texts for architecture in architectures_from_text(supernet.space, text)]
    found, seconds = {}, {}
    for precision in ("fp32", "int8"):
        began = time.monotonic()
        found[precision] = np.array([supernet.evaluate(a, "test", precision=precision) for a in chosen])
        seconds[precision] = (time.monotonic() - began) / len(chosen)
    drops = found["fp32"] - found["int8"]
    for word, row in (("smallest", 0), ("largest", 1)):
        print(f"{word:9s} fp32 {found['fp32'][row]:.2f} %  int8 {found['int8'][row]:.2f} %")
    print(f"{len(chosen)} sub-networks, {supernet.size('test'):,} test images")
    print(f"drop in points: mean {drops.mean():.2f}, {spread(drops)}, worst {drops.max():.2f}")
    print(f"Spearman of fp32 and int8 accuracy: {spearman(found['fp32'], found['int8']):.2f}")
    print(f"seconds a validation: fp32 {seconds['fp32']:.2f} (torch), int8 {seconds['int8']:.2f}")


if __name__ == "__main__":
    main()
