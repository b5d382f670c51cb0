"""What the shipped weights classify: the largest, the smallest and some random sub-networks on the official test set.

    python benchmarks/supernet_accuracy.py --data "$(gnomon data prepare fashion-mnist)"

Accuracy is inherited: nothing is fine-tuned, batch norm is calibrated on 512 training images.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from environment import print_environment, spread

from gnomon.supernets.space.parse import architectures_from_text
from gnomon.supernets.supernet import load_supernet


def main() -> None:
    """Evaluate on all 10,000 test images, and on the embedded 2,500."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the full data set")
    parser.add_argument("--random", type=int, default=10, help="how many random sub-networks")
    arguments = parser.parse_args()
    print_environment()
    full, embedded = load_supernet("fashion_mnist", data=arguments.data), load_supernet("fashion_mnist")
    space = full.space
    for name in ("largest", "smallest"):
        (architecture,) = architectures_from_text(space, name)
        mmacs = space.macs([architecture.indices])[0] / 1e6
        top1, sample = full.evaluate(architecture, "test"), embedded.evaluate(architecture, "test")
        print(f"{name:9s} {mmacs:5.2f} MMACs  top-1 {top1:.2f} % of 10,000 test images, {sample:.2f} % of the embedded")
    drawn = architectures_from_text(space, f"random:{arguments.random}")
    print(f"random    top-1 % of 10,000: {spread(np.array([full.evaluate(a, 'test') for a in drawn]))}")


if __name__ == "__main__":
    main()
