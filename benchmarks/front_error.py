"""Is the accuracy that a search reports for its front as right as with full validations only?

    python benchmarks/front_error.py --seeds 6 7 8 [--budget 16]

Searches `fashion_mnist` for accuracy and latency, once as it is by default, where partial evaluations that are exact
enough count in the front, and once with full validations only. Every member is then validated in full on the images
that the search used and on those of the other split. Printed is by how much its reported accuracy is above these:
the first is what partial evaluation adds, the second holds selection too, which flatters any front. Beside it stands
what the run says of its predictions (`docs/intervals.md`).
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from environment import print_environment

import gnomon
from gnomon.search import SearchConfig
from gnomon.supernets.supernet import load_supernet

PROFILE = "fashion_mnist/amd-epyc-2c.onnxruntime.fp32.b1.t1"
WAYS = {"partial ones count": {}, "full validations only": {"partial_share": 1.0}}


def main() -> None:
    """Search, validate the fronts again, and print the differences."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[6, 7, 8])
    parser.add_argument("--budget", type=int, default=16)
    arguments = parser.parse_args()
    print_environment()
    supernet = load_supernet("fashion_mnist")
    for way, settings in WAYS.items():
        differences = []
        for seed in arguments.seeds:
            config = SearchConfig(
                space="fashion_mnist",
                objectives=("accuracy", "latency"),
                budget=arguments.budget,
                seed=seed,
                **settings,
            )
            with tempfile.TemporaryDirectory() as folder:
                run = gnomon.run_search(config, Path(folder) / "run", profile=PROFILE)
            front = run.front()
            reported = np.array(front.values)[:, 0]
            rows = [[supernet.evaluate(one, split) for split in ("validation", "test")] for one in front.architectures]
            found = reported[:, None] - np.array(rows)
            differences.append(found)
            print(f"{way}, seed {seed}: {len(found)} members; {said(found)}; {run.predictor_quality()[0]}", flush=True)
        every = np.concatenate(differences)
        print(f"{way}, all {len(arguments.seeds)} seeds: {len(every)} members; {said(every)}\n", flush=True)


def said(differences: np.ndarray) -> str:
    """Return mean and spread of reported accuracies less full ones, (n, 2), in points."""
    mean, spread, worst = differences.mean(axis=0), differences.std(axis=0), np.abs(differences).max(axis=0)
    return (
        f"reported less full validation {mean[0]:+.2f} (sd {spread[0]:.2f}, worst {worst[0]:.2f}), "
        f"less the other split {mean[1]:+.2f} (sd {spread[1]:.2f}) points"
    )


if __name__ == "__main__":
    main()
