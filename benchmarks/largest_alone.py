"""What sharing weights costs: the largest sub-network against the same network trained alone, by the same recipe.

    gnomon train bert_minilm                                        # the super-network
    gnomon train bert_minilm --largest-only --out alone.safetensors
    python benchmarks/largest_alone.py bert_minilm --alone alone.safetensors [--random 10] [--data DIR]

Both answer the same validation and test examples; the difference is paired, its standard error that of the examples on
which one is right and the other wrong. Then the smallest and random sub-networks, and the seconds that one full
validation takes. Nothing is fine-tuned after the training.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from environment import print_environment, spread
from numpy.typing import NDArray

from gnomon.supernets.evaluation.classifier import Classifier
from gnomon.supernets.space.parse import architectures_from_text
from gnomon.supernets.space.space import Architecture
from gnomon.supernets.supernet import load_supernet

SPLITS = ("validation", "test")


def hits(supernet: Classifier, architecture: Architecture, split: str) -> NDArray[np.bool_]:
    """Return which examples of a split are classified rightly, (n,)."""
    (logits,) = supernet.answers(architecture, split).arrays
    return np.asarray(logits.argmax(axis=1) == supernet.split(split).labels)


def classifier(space: str, checkpoint: Path | None, data: Path | None) -> Classifier:
    """Load a super-network that classifies."""
    supernet = load_supernet(space, checkpoint=checkpoint, data=data)
    if not isinstance(supernet, Classifier):
        raise SystemExit(f"{space} is judged by {supernet.metric.name}; this benchmark compares classifiers")
    return supernet


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("space")
    parser.add_argument("--alone", type=Path, required=True, help="weights of the largest alone")
    parser.add_argument("--checkpoint", type=Path, help="the super-network's weights; default: those that are found")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--random", type=int, default=10, help="how many random sub-networks")
    arguments = parser.parse_args()
    print_environment()
    alone = classifier(arguments.space, arguments.alone, arguments.data)
    shared = classifier(arguments.space, arguments.checkpoint, arguments.data)
    (largest,) = architectures_from_text(shared.space, "largest")
    for split in (*SPLITS, "both"):
        pair = [
            np.concatenate([hits(one, largest, name) for name in (SPLITS if split == "both" else (split,))])
            for one in (alone, shared)
        ]
        differences = 100.0 * (pair[1].astype(float) - pair[0])
        error = differences.std() / len(differences) ** 0.5
        means = [f"{100 * right.mean():.2f} %" for right in pair]
        print(f"{split:10s} largest: alone {means[0]}, in the super-network {means[1]}, n = {len(differences)}")
        print(f"{split:10s} difference {differences.mean():+.2f} +- {error:.2f} points")
    seconds = []
    for name in ("smallest", f"random:{arguments.random}"):
        accuracies: dict[str, list[float]] = {split: [] for split in SPLITS}
        for architecture in architectures_from_text(shared.space, name):
            start = time.perf_counter()
            accuracies["validation"].append(shared.evaluate(architecture))
            seconds.append(time.perf_counter() - start)
            accuracies["test"].append(shared.evaluate(architecture, "test"))
        for split, values in accuracies.items():
            print(f"{split:10s} {name}: {spread(values)} %")
    start = time.perf_counter()
    shared.evaluate(largest)
    print(f"a validation of the largest takes {time.perf_counter() - start:.1f} s, of the others {spread(seconds)} s")


if __name__ == "__main__":
    main()
