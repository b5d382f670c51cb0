"""How near an accuracy on a few examples is to that on all: examples that decide against random ones.

    python benchmarks/deciding_examples.py

Evaluates the smallest and the largest sub-network of the embedded fashion_mnist super-network, the pilots, and random
ones on all validation images. For shares of the images it prints the mean error, the standard deviation of the error,
and Kendall's tau with the order on all images: on deciding images, the rest taken as the pilots have it, and on random
ones (mean of some draws). Batch norm is calibrated on all calibration images, and again on the same share of them, as a
partial evaluation does, so that it costs its share and no more.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse

import numpy as np
from environment import print_environment
from numpy.typing import NDArray

from gnomon.supernets.data.labelled import rows_of_share
from gnomon.supernets.evaluation.classifier import Classifier
from gnomon.supernets.evaluation.deciding import DecidingExamples, Outcomes
from gnomon.supernets.space.space import Indices
from gnomon.supernets.supernet import load_supernet

SHARES, DRAWS = (0.05, 0.1, 0.2, 0.3), 200


def judged(estimates: NDArray[np.floating], truth: NDArray[np.floating]) -> tuple[float, float, float]:
    """Return mean and standard deviation of the error in points, and Kendall's tau."""
    from scipy.stats import kendalltau

    errors = estimates - truth
    return float(errors.mean()), float(errors.std(ddof=1)), float(kendalltau(estimates, truth).statistic)


def outcomes_of(supernet: Classifier, row: Indices, share: float = 1.0) -> Outcomes:
    """Return a sub-network's outcomes on all images, batch norm calibrated on a share of the calibration images."""
    data = supernet.split("validation")
    return Outcomes.of(supernet.logits(supernet.space.architecture(row), data, share), data.labels)


def main() -> None:
    """Evaluate the networks, then estimate each from shares of the images."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=24, help="random sub-networks beside the two pilots")
    options = parser.parse_args()
    supernet = load_supernet("fashion_mnist")
    assert isinstance(supernet, Classifier)
    space = supernet.space
    rows = np.unique(space.sample(options.networks, np.random.default_rng(0)), axis=0)
    deciding = DecidingExamples.of([outcomes_of(supernet, row) for row in (0 * space.radices, space.radices - 1)])
    right = np.array([outcomes_of(supernet, row).right for row in rows])
    truth = 100 * right.mean(axis=1)
    print_environment()
    print(f"weights   {supernet.checkpoint_sha256[:12]}")
    print(
        f"{len(rows)} random sub-networks, {right.shape[1]} images, top-1 {truth.mean():.2f} percent on average, "
        f"standard deviation {truth.std(ddof=1):.3f}; right for all {100 * right.all(axis=0).mean():.1f} % of the "
        f"images, wrong for all {100 * (~right).all(axis=0).mean():.1f} %; the pilots disagree on "
        f"{100 * deciding.disputed / right.shape[1]:.1f} %"
    )
    for share in SHARES:
        few = np.array([outcomes_of(supernet, row, share).right for row in rows])
        first, n = deciding.rows(share), right.shape[1]
        generators = [np.random.default_rng(draw) for draw in range(DRAWS)]
        drawn = [generator.permutation(n)[: len(first)] for generator in generators]
        random = np.mean([judged(100 * right[:, at].mean(axis=1), truth) for at in drawn], axis=0)
        own = 100 * few[:, rows_of_share(n, share)].mean(axis=1)
        for name, found in (
            ("deciding, calibrated on all", judged(np.array([deciding.percent(one[first]) for one in right]), truth)),
            ("deciding, calibrated on the share", judged(np.array([deciding.percent(o[first]) for o in few]), truth)),
            (f"random ({DRAWS} draws), calibrated on all", tuple(random)),
            ("random (one draw), calibrated on the share", judged(own, truth)),
        ):
            mean, deviation, tau = found
            print(f"share {share:4.2f}  {name:43s} error {mean:+.3f}, sd {deviation:.3f} points  tau {tau:.3f}")


if __name__ == "__main__":
    main()
