"""Which summary of many short visits repeats itself best? The same visits, two halves, several estimators.

    python benchmarks/estimators.py KEPT [KEPT ...]

Each KEPT is a folder that `latency_fidelity.py --keep` made. The passes over its networks are split at random into two
halves, twenty times; an estimator's noise is the mean distance between the halves, its drift with effort how much lower
it comes out when it sees all passes instead of a quarter of them.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from environment import print_environment

ESTIMATORS = {
    "lower quartile of all inferences": lambda visits: np.quantile(visits, 0.25),
    "median of all inferences": np.median,
    "minimum of all inferences": np.min,
    "median of the three fastest visits": lambda visits: np.median(np.sort(np.median(visits, axis=1))[:3]),
    "median of visits": lambda visits: np.median(np.median(visits, axis=1)),
    "mean": np.mean,
}
SPLITS = 20


def main() -> None:
    """Print one line an estimator for each folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kept", type=Path, nargs="+")
    print_environment()
    for folder in parser.parse_args().kept:
        content = json.loads((folder / "truth.json").read_text())["us"]
        networks = np.array([visits for name in ("random", "front") for visits in content[name]])
        n, passes, _ = networks.shape
        print(f"{folder.name}: {n} networks, {passes} passes of {networks.shape[2]} inferences, {SPLITS} random splits")
        for name, estimate in ESTIMATORS.items():
            rng, noise, drift = np.random.default_rng(0), [], []
            for _ in range(SPLITS):
                order = rng.permutation(passes)
                a, b, few = order[: passes // 2], order[passes // 2 :], order[: passes // 4]
                first, second, little, all_of = (
                    np.array([estimate(visits[chosen]) for visits in networks]) for chosen in (a, b, few, order)
                )
                noise.append(np.mean(200 * np.abs(first - second) / (first + second)))
                drift.append(np.mean(100 * (all_of / little - 1)))
            print(f"  {name:38s} noise {np.mean(noise):5.2f} %   drift with effort {np.mean(drift):+5.2f} %")


if __name__ == "__main__":
    main()
