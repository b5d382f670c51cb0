"""How many examples a validation needs: those that decide against random ones, and at what processor time.

    python benchmarks/deciding_examples.py [--space fashion_mnist] [--seed 1] [--picture docs/deciding.png]

Evaluates the smallest and the largest sub-network of a super-network that classifies, the pilots, and random ones on
all validation examples. For shares of the examples it prints the mean error, the standard deviation of the error,
Kendall's tau with the order on all examples, and processor time relative to a validation on all: on deciding examples,
what a network is right about among the rest read off its margins, and on random ones. The same where it has no margins,
as a study's may have none: the rest is then taken as the pilots have it. Batch norm, where there is any, is calibrated
as a partial evaluation does, on the same share of the calibration examples, those that stand for all, and corrected; on
the same without correction; on the same number of random ones; and on all. `--seed` draws other networks: the method
was chosen on seeds 0 and 2 of fashion_mnist, what is done with margins on seed 1 of it and of bert_minilm.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import time
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from environment import print_environment
from numpy.typing import NDArray

from gnomon.search import SearchConfig
from gnomon.search.acquisition.opening import LARGER
from gnomon.search.fronts.counting import unit_error
from gnomon.supernets.data.labelled import batches_of, rows_of_share
from gnomon.supernets.elastic.normalisation import Statistics
from gnomon.supernets.evaluation.classifier import BATCH, Classifier
from gnomon.supernets.evaluation.deciding import DecidingExamples, Outcomes
from gnomon.supernets.space.space import Architecture, Indices
from gnomon.supernets.supernet import load_supernet

SHARES, DRAWS = (0.05, 0.1, 0.2, 0.3), 200
LOOK: float = SearchConfig.model_fields["partial_share"].default
PAIR = LOOK, LARGER * LOOK  # shares that a search compares
OURS, PLAIN, ALL, FEW = (
    "deciding, calibrated on those that stand for all, corrected",
    "deciding, calibrated on those that stand for all",
    "deciding, calibrated on all",
    "deciding, calibrated on random ones",
)
UNTOLD = "deciding, without margins"
RANDOM = f"random ({DRAWS} draws), calibrated on all"


def judged(estimates: NDArray[np.floating], truth: NDArray[np.floating]) -> tuple[float, float, float]:
    """Return mean and standard deviation of the error in points, and Kendall's tau."""
    from scipy.stats import kendalltau

    errors = estimates - truth
    return float(errors.mean()), float(errors.std(ddof=1)), float(kendalltau(estimates, truth).statistic)


def right_about(
    supernet: Classifier, architecture: Architecture, statistics: Statistics, rows: NDArray[np.int64]
) -> Outcomes:
    """Return the outcomes of a sub-network with given statistics on the images at `rows` (k,)."""
    data = supernet.split("validation").take(rows)
    logits = supernet.network.logits_of(batches_of(data, BATCH), architecture, statistics).numpy()
    return Outcomes.of(logits, data.labels)


def without_margins(outcomes: Outcomes) -> Outcomes:
    """Return what is right alone."""
    return Outcomes(outcomes.right, np.zeros_like(outcomes.margins))


def random_images(supernet: Classifier, share: float) -> NDArray[np.int64]:
    """Return which calibration images are drawn at random, (k,), the same for every network."""
    return rows_of_share(len(supernet.task.calibration), share)


def representative_images(supernet: Classifier, share: float) -> NDArray[np.int64]:
    """Return which calibration images stand for all, (k,)."""
    rows = supernet.calibration_examples.rows(share)
    assert rows is not None
    return rows


def statistics_on(supernet: Classifier, architecture: Architecture, images: NDArray[np.int64]) -> Statistics:
    """Calibrate on those images alone."""
    return supernet.network.calibrate_on(architecture, supernet.calibration_batches(images))


def seconds_of(supernet: Classifier, row: Indices, rows: NDArray[np.int64] | None) -> tuple[Outcomes, float]:
    """Return the outcomes of a sub-network on some images, or all, and the processor seconds that they took."""
    started = time.process_time()
    outcomes = supernet.outcomes(supernet.space.architecture(row), rows=rows)
    return outcomes, time.process_time() - started


def estimates(
    supernet: Classifier,
    rows: Indices,
    deciding: DecidingExamples,
    every: Sequence[Outcomes],
    full_s: NDArray[np.float64],
) -> dict[tuple[float, str], tuple[float, float, float]]:
    """Estimate each network from shares of the images, print how well, and return it by share and method."""
    right = np.array([one.right for one in every])
    truth, n = 100 * right.mean(axis=1), right.shape[1]
    found: dict[tuple[float, str], tuple[float, float, float]] = {}
    for share in SHARES:
        first = deciding.rows(share)
        ours = [seconds_of(supernet, row, first) for row in rows]
        cost = np.array([seconds for _, seconds in ours]) / full_s
        drawn = [np.random.default_rng(draw).permutation(n)[: len(first)] for draw in range(DRAWS)]
        by_method = {
            OURS: judged(np.array([deciding.percent(one) for one, _ in ours]), truth),
            UNTOLD: judged(np.array([deciding.percent(without_margins(one)) for one, _ in ours]), truth),
            RANDOM: tuple(np.mean([judged(100 * right[:, at].mean(axis=1), truth) for at in drawn], axis=0)),
        }
        if supernet.calibration_examples.order is not None:
            architectures = [supernet.space.architecture(row) for row in rows]
            for name, images in ((PLAIN, representative_images), (FEW, random_images)):
                chosen = images(supernet, share)
                calibrated = [(one, statistics_on(supernet, one, chosen)) for one in architectures]
                few = [right_about(supernet, one, statistics, first) for one, statistics in calibrated]
                by_method[name] = judged(np.array([deciding.percent(one) for one in few]), truth)
            by_method[ALL] = judged(np.array([deciding.percent(one.at(first)) for one in every]), truth)
        for name, (mean, deviation, tau) in by_method.items():
            print(f"share {share:4.2f}  {name:60s} error {mean:+.3f}, sd {deviation:.3f} points  tau {tau:.3f}")
            found[share, name] = mean, deviation, tau
        low, middle, high = np.quantile(cost, (0.25, 0.5, 0.75))
        print(f"share {share:4.2f}  costs {middle:.3f} ({low:.3f} to {high:.3f}) of a full validation", flush=True)
    return found


def compare_with_larger(
    supernet: Classifier, rows: Indices, deciding: DecidingExamples, truth: NDArray[np.floating]
) -> None:
    """Print the error of a look, by what a search compares it with and by `truth` (n,)."""
    small, large = PAIR
    looked, larger = (
        [deciding.percent(seconds_of(supernet, row, deciding.rows(share))[0]) for row in rows] for share in PAIR
    )
    pairs = [(small, [one], large, [other]) for one, other in zip(looked, larger)]
    full = [(small, [one], 1.0, [exact]) for one, exact in zip(looked, truth)]
    print(
        f"error of a share of {small:g} where 1 / share - 1 is 1: {unit_error(pairs)[0]:.3f} points by its difference "
        f"from a share of {large:g}, {unit_error(full)[0]:.3f} by that from all examples"
    )


def draw(found: dict[tuple[float, str], tuple[float, float, float]], path: Path) -> None:
    """Draw the standard deviation of the error against the share of the images."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
    styles = {RANDOM: "s:", UNTOLD: "x--", FEW: "v--", PLAIN: "D--", OURS: "o-", ALL: "^--"}
    for name, style in ((name, style) for name, style in styles.items() if (SHARES[0], name) in found):
        axes.plot([100 * share for share in SHARES], [found[share, name][1] for share in SHARES], style, label=name)
    axes.set_xlabel("share of the validation examples, percent")
    axes.set_ylabel("standard deviation of the error, points")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=120)


def main() -> None:
    """Evaluate the networks, then estimate each from shares of the images."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", default="fashion_mnist", help="a super-network that classifies and has weights")
    parser.add_argument("--networks", type=int, default=24, help="random sub-networks beside the two pilots")
    parser.add_argument("--seed", type=int, default=1, help="of the random sub-networks")
    parser.add_argument("--picture", type=Path, help="draw the error against the share into this file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    supernet = load_supernet(options.space)
    if not isinstance(supernet, Classifier):
        parser.error(f"{options.space} does not classify: no example of it is right or wrong")
    space = supernet.space
    rows = np.unique(space.sample(options.networks, np.random.default_rng(options.seed)), axis=0)
    pilots = [seconds_of(supernet, row, None)[0] for row in (0 * space.radices, space.radices - 1)]
    deciding = DecidingExamples.of(pilots)
    every, full_s = zip(*(seconds_of(supernet, row, None) for row in rows))
    right, full_s = np.array([one.right for one in every]), np.array(full_s)
    truth = 100 * right.mean(axis=1)
    print_environment()
    print(f"weights   {supernet.checkpoint_sha256[:12]}")
    started = time.process_time()
    supernet.calibration_examples.prepare()
    order_s = time.process_time() - started
    pairs = [(one != other).mean() for one, other in combinations(right, 2)]
    everywhere, nowhere = 100 * right.all(axis=0).mean(), 100 * (~right).all(axis=0).mean()
    print(
        f"{len(rows)} random sub-networks of {options.space} (seed {options.seed}), {right.shape[1]} examples, "
        f"top-1 {truth.mean():.2f} percent on average, standard deviation {truth.std(ddof=1):.3f}; right "
        f"for all {everywhere:.1f} % of the examples, wrong for all {nowhere:.1f} %; the pilots disagree on "
        f"{100 * deciding.disputed / right.shape[1]:.1f} %, two random networks on {100 * np.mean(pairs):.1f} %; a "
        f"full validation takes {np.median(full_s):.2f} s of processor time (median), preparing calibration on few "
        f"examples {order_s:.2f} s, once, beside the pilots"
    )
    found = estimates(supernet, rows, deciding, every, full_s)
    compare_with_larger(supernet, rows, deciding, truth)
    if options.picture is not None:
        draw(found, options.picture)


if __name__ == "__main__":
    main()
