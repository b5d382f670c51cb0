"""The best latency model, or a weighted mean of several? Both fitted to some networks, tested on the others.

    python benchmarks/model_choice.py PROFILE... [--fitted 30] [--draws 12]

For every profile, so many of its networks (all but six where it has fewer than ninety) are drawn to fit every candidate
and to choose; the others are predicted. Printed are the mean errors of the best candidate alone and of what a profile
gets, what the profile states, and how many of the others lie in its 90 % intervals.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from unittest import mock

import numpy as np
from environment import print_environment

from gnomon.lut import LatencyModel, load_profile
from gnomon.lut.latency_model import choice

MANY, FEW_LEFT = 90, 6


def main() -> None:
    """Fit and test by the draw, and print one line a profile."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("profiles", nargs="+", type=Path)
    parser.add_argument("--fitted", type=int, default=30)
    parser.add_argument("--draws", type=int, default=12)
    arguments = parser.parse_args()
    print_environment()
    for path in arguments.profiles:
        print(f"{path.stem}: {compared(path, arguments.fitted, arguments.draws)}")


def compared(path: Path, fitted: int, draws: int) -> str:
    """Return one profile's line."""
    profile, rng = load_profile(path), np.random.default_rng(0)
    rows = np.array([network.indices for network in profile.networks])
    measured = profile.network_measurements
    truth = np.array([one.value_us for one in measured])
    count = fitted if len(rows) > MANY else len(rows) - FEW_LEFT
    found = []
    for _ in range(draws):
        order = rng.permutation(len(rows))
        inside, outside = order[:count], order[count:]
        given = profile.space, profile.table, rows[inside], [measured[place] for place in inside]
        model = LatencyModel.fit(*given)
        with mock.patch.object(choice, "chosen_weights", best_alone):
            alone_us = LatencyModel.fit(*given).value_us(rows[outside])
        estimate = model.predict(rows[outside])
        error, alone = (100 * np.abs(us / truth[outside] - 1) for us in (estimate.value_us, alone_us))
        held = (estimate.low_us <= truth[outside]) & (truth[outside] <= estimate.high_us)
        found.append((alone.mean(), error.mean(), model.report.mape_percent, held.mean()))
    alone, error, stated, held = np.mean(found, axis=0)
    spread = np.std([row[1] - row[0] for row in found]) / np.sqrt(draws)
    return (
        f"best alone {alone:.2f} %, chosen {error:.2f} % (difference {error - alone:+.2f} +- {spread:.2f}), "
        f"stated {stated:.2f} %, intervals hold {held:.0%} (n = {draws} draws, {count} fitted)"
    )


def best_alone(predictions: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the weights (k,) of the simplest of the best candidates, which is one."""
    errors = [choice.mape_percent(one, truth) for one in predictions]
    return np.eye(len(predictions))[choice.simplest_of_the_best(errors)]


if __name__ == "__main__":
    main()
