"""With three objectives the gain of a candidate is a mean over draws: which few draws come closest to many?

    python benchmarks/search_draws.py --data ofa_mbv3_top1.csv [--archives 20]

On the landscape `ofa` with parameters as third objective; accuracy and latency are predicted, from 60 random networks
an archive. Of the 64 candidates whose optimistic costs gain most, the gain by a few draws is compared with that by
1,024 independent ones: Kendall tau, and how much of the largest gain the candidate has that the few draws choose.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
from pathlib import Path

import numpy as np
from environment import print_environment, spread
from scipy.special import ndtri
from scipy.stats import kendalltau
from scipy.stats.qmc import Sobol
from search_harness.driver import landscape_of
from search_harness.entrants import ENTRANTS, config_of
from search_harness.landscape import OWN, Landscape, objectives_of

from gnomon.search.acquisition import expected_hypervolume
from gnomon.search.acquisition.batch_choice import Choosing
from gnomon.search.acquisition.candidates import bred
from gnomon.search.acquisition.expected_hypervolume import DRAWS, drawn_gain
from gnomon.search.archive import Archive
from gnomon.search.prediction.posterior import Posterior
from gnomon.search.problem.objective import Values, measure, minimised
from gnomon.search.problem.objectives.params import build as params
from gnomon.search.problem.problem import settled
from gnomon.search.testing.contracts import fake_context

MEASURED, MANY = 60, 1024


def antithetic(m: int) -> Values:
    """Return pseudo-random normal draws and their opposites, (DRAWS, m)."""
    half = np.random.default_rng(0).standard_normal((DRAWS // 2, m))
    return np.concatenate([half, -half])


def sobol(m: int) -> Values:
    """Return scrambled Sobol points by the inverse normal cdf, (DRAWS, m)."""
    return np.asarray(ndtri(Sobol(m, seed=np.random.default_rng(0)).random(DRAWS)), dtype=np.float64)


def independent(n: int, seed: int) -> Values:
    """Return independent normal draws of three objectives, (n, 3)."""
    return np.random.default_rng(seed).standard_normal((n, 3))


def candidates_of(landscape: Landscape, seed: int) -> tuple[Values, Values, Values, Values]:
    """Return costs and deviations of candidates, (n, 3) each, costs of a front (k, 3), and the corner (3,)."""
    objectives = (*objectives_of(landscape, OWN, seed), params(fake_context(landscape.space.name)))
    rng = np.random.default_rng(seed)
    rows = np.unique(landscape.space.sample(MEASURED, rng), axis=0)
    measured = [(0, row, measure(objectives, row)) for row in rows]
    config = config_of(ENTRANTS["gnomon"], landscape, seed=seed, budget=2 * MEASURED)
    config = config.model_copy(update={"objectives": tuple(objective.name for objective in objectives)})
    _, problem = settled(config, landscape.space, objectives)
    archive = Archive.of(landscape.space, problem, measured=measured)
    posterior = Posterior.of(archive)
    choosing = Choosing.among(archive.unseen(bred(archive, posterior, rng)), archive, posterior)
    deviation = np.zeros_like(choosing.mean)
    for column, belief in choosing.beliefs.items():
        deviation[:, column] = np.sqrt(np.maximum(belief.variances, 0.0))
    corner = minimised(np.array([problem.reference]), archive.directions)[0]
    return (
        minimised(choosing.mean, archive.directions),
        deviation,
        minimised(choosing.front, archive.directions),
        corner,
    )


def gains(draws: Values, known: tuple[Values, Values, Values, Values]) -> Values:
    """Return the gain of each candidate, (n,), by draws (k, 3)."""
    kept, expected_hypervolume.normal_draws = expected_hypervolume.normal_draws, lambda m: draws
    try:
        return drawn_gain(*known)
    finally:
        expected_hypervolume.normal_draws = kept


def main() -> None:
    """Print how close each kind of draws comes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="ofa_mbv3_top1.csv")
    parser.add_argument("--archives", type=int, default=20)
    options = parser.parse_args()
    landscape = landscape_of("ofa", options.data)
    kinds = {
        "pseudo-random, antithetic": antithetic(3),
        "Sobol, scrambled": sobol(3),
        "independent": independent(DRAWS, 1),
    }
    taus: dict[str, list[float]] = {kind: [] for kind in kinds}
    shares: dict[str, list[float]] = {kind: [] for kind in kinds}
    for seed in range(options.archives):
        known = candidates_of(landscape, seed)
        many = gains(independent(MANY, 2), known)
        for kind, draws in kinds.items():
            few = gains(draws, known)
            drawn = many > 0
            taus[kind].append(float(kendalltau(few[drawn], many[drawn]).statistic))
            shares[kind].append(float(many[np.argmax(few)] / many.max()))
    print_environment()
    for kind in kinds:
        print(f"{DRAWS} draws, {kind}: tau {spread(taus[kind])}, of the largest gain {spread(shares[kind])}")


if __name__ == "__main__":
    main()
