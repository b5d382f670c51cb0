"""How like a real super-network the image model of `search_harness/ofa_images.py` is.

    python benchmarks/image_model.py --cache fashion_validations.jsonl

Real outcomes of random sub-networks of `fashion_mnist` on 2,500 validation images, against those of the model with as
many images and the same top-1 of each network. The size of the effects is fitted to the share of the images on which
two random networks differ; all else is a prediction: how often networks that differ in one gene differ in an image,
images that are right or wrong for all, and the standard deviation of the errors of top-1 by a share of the images that
decide. Printed too: the same for the landscape `ofa-images`, with the disagreement that follows there.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
from environment import print_environment
from search_harness.ofa_images import ImageModel, OfaImages
from search_harness.validated import Validated

from gnomon.supernets import SearchSpace
from gnomon.supernets.evaluation.deciding import DecidingExamples, Outcomes
from gnomon.supernets.space.space import Indices

SHARES, NEAR, TRIED = (0.05, 0.1, 0.2, 0.3), 12, np.linspace(0.05, 0.6, 23)
Tells = Callable[[Indices], Outcomes]


def differing(tells: Tells, rows: Indices) -> float:
    """Return on what share of the images two of (n, d) networks differ, in percent, on average."""
    right = [tells(row).right for row in rows]
    return float(100 * np.mean([np.mean(one != other) for one, other in combinations(right, 2)]))


def described(name: str, space: SearchSpace, tells: Tells, rows: Indices) -> None:
    """Print what outcomes look like."""
    every = [tells(row) for row in rows]
    right = np.array([one.right for one in every])
    ends = space.canonical([0 * space.radices, space.radices - 1])
    examples = DecidingExamples.of([tells(row) for row in ends])
    near = [space.neighbours(space.architecture(row))[-1] for row in rows[:NEAR]]
    nearby = np.mean([np.mean(one != tells(other).right) for one, other in zip(right, near)])
    errors = [
        np.std([examples.percent(one.at(examples.rows(share))) - one.percent for one in every], ddof=1)
        for share in SHARES
    ]
    print(
        f"{name}: top-1 {100 * right.mean():.1f} (sd {100 * right.mean(axis=1).std():.2f}); two differ on "
        f"{differing(tells, rows):.1f} %, of one gene {100 * nearby:.1f} %; right for all "
        f"{100 * right.all(axis=0).mean():.1f} %, wrong {100 * (~right).all(axis=0).mean():.1f} %; error of "
        + ", ".join(f"{100 * share:.0f} %: {error:.3f}" for share, error in zip(SHARES, errors))
    )


def main() -> None:
    """Fit, and print both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True, help="file that keeps validations, made when missing")
    parser.add_argument("--data", type=Path, help="ofa_mbv3_top1.csv")
    parser.add_argument("--networks", type=int, default=24, help="random sub-networks")
    options = parser.parse_args()
    real, rng = Validated(options.cache), np.random.default_rng(0)
    rows = np.unique(real.space.sample(options.networks, rng), axis=0)
    told: dict[bytes, Outcomes] = {}

    def outcomes(row: Indices) -> Outcomes:
        if row.tobytes() not in told:
            told[row.tobytes()] = real.outcomes(row)
        return told[row.tobytes()]

    def modelled(effects: float) -> Tells:
        model = ImageModel(real.space, real.examples, effects)
        return lambda row: model.outcomes(row, outcomes(row).percent)

    wanted = differing(outcomes, rows)
    effects = float(min(TRIED, key=lambda tried: abs(differing(modelled(tried), rows) - wanted)))
    print_environment()
    described("fashion_mnist", real.space, outcomes, rows)
    described(f"modelled, effects {effects:.3f}", real.space, modelled(effects), rows)
    if options.data:
        ofa = OfaImages(options.data)
        random = np.unique(ofa.space.sample(options.networks, rng), axis=0)
        described(f"{ofa.name}, {ofa.setting}", ofa.space, ofa.outcomes, random)


if __name__ == "__main__":
    main()
