"""What a validation on a share of the images costs and tells, on our own super-network, truly evaluated.

    python benchmarks/search_shares.py --cache fashion_validations.jsonl

Prints on what share of the validation images two random sub-networks differ in being right (the D that the assumed
landscapes of `search_efficiency.py` need), and for some shares: processor seconds against those of a full validation,
how far the top-1 moves for all networks alike, how much each moves by itself, what the assumption says it should,
and how well the order is kept. Batch norm is calibrated on the same share of the calibration images, which moves the
top-1 beyond what fewer images to judge by would. The assumption leaves that out, so the same is printed for networks
that are calibrated on all calibration images and only judged on a share.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
from environment import print_environment, spread
from numpy.typing import NDArray
from search_harness.images import Images
from search_harness.validated import Validated

from gnomon.supernets.data.labelled import share_of
from gnomon.supernets.space.space import Indices

SHARES, NEIGHBOURS = (0.05, 0.1, 0.2, 0.5), 15


def rightness(landscape: Validated, rows: Indices) -> NDArray[np.bool_]:
    """Tell which validation images each of (n, d) networks is right about, (n, images)."""
    supernet = landscape.supernet
    data = supernet.split("validation")
    logits = [supernet.logits(landscape.space.architecture(row), data) for row in rows]
    return np.array([np.argmax(one, axis=1) == data.labels for one in logits])


def main() -> None:
    """Measure disagreement, then the shares."""
    from scipy.stats import kendalltau

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True, help="file that keeps validations, made when missing")
    parser.add_argument("--networks", type=int, default=40, help="random sub-networks")
    options = parser.parse_args()
    landscape = Validated(options.cache)
    space = landscape.space
    rows = np.unique(space.sample(options.networks, np.random.default_rng(0)), axis=0)
    right = rightness(landscape, rows)
    differing = [float(np.mean(left != other)) for left, other in combinations(right, 2)]
    near = np.array([space.neighbours(space.architecture(row))[-1] for row in rows[:NEIGHBOURS]])
    nearby = [float(np.mean(one != other)) for one, other in zip(right, rightness(landscape, near))]
    images = Images(right.shape[1], float(np.median(differing)), float(right.mean()))
    print_environment()
    print(f"{len(rows)} random sub-networks, {images.number} images, mean top-1 {100 * images.accuracy:.2f} percent")
    print(f"images that just one of two networks is right about: {spread(differing)}")
    print(f"images that just one of a network and one that differs in a gene is right about: {spread(nearby)}")
    whole = [landscape.validation(row, 1.0) for row in rows]
    seconds, top1 = (np.array([one[name] for one in whole]) for name in ("seconds", "top1_percent"))
    print(f"processor seconds of a full validation: {spread(seconds)}; standard deviation of top-1 {top1.std():.3f}")
    for share in SHARES:
        assumed = images.own_deviation * np.sqrt(1 / share - 1)
        part = [landscape.validation(row, share) for row in rows]
        relative = np.array([one["seconds"] for one in part]) / seconds
        data = landscape.supernet.split("validation")
        judged = share_of(replace(data, labels=np.arange(len(data))), share).labels
        print(f"share {share:4.2f}: costs {spread(relative)} of a full validation")
        for calibrated, shown in (
            ("a share", np.array([one["top1_percent"] for one in part])),
            ("all", 100 * right[:, judged].mean(axis=1)),
        ):
            moved = shown - top1
            print(
                f"share {share:4.2f}, calibrated on {calibrated}: top-1 moves {moved.mean():+.2f} points for all, "
                f"{moved.std(ddof=1):.2f} for each by itself (assumed {assumed:.2f}); "
                f"Kendall tau with the full order {kendalltau(shown, top1).statistic:.3f}"
            )


if __name__ == "__main__":
    main()
