"""How many validations does each tactic need on a landscape like Once-for-All's MobileNetV3?

    python benchmarks/search_efficiency.py --bench PATH/ofa_mbv3_top1.csv [--seeds 10] [--jobs 2]

The landscape is fitted to 2,373 published ImageNet validations: a ridge on masked genes plus half of a boosted
residual; a validation adds 0.02 points of noise, as repeats of the published ones do. Latency comes from our shipped
profile and is exact for every tactic. Hypervolume is that of the noise-free values of what was validated, from 71.0 %
and the latency of the largest network, as a share of the best of three NSGA-II runs of 40,000 evaluations on the
landscape itself. Seconds are processor time of the tactic alone, on one core.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import csv
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from environment import print_environment, spread

from gnomon import load_profile
from gnomon.search import SearchConfig, hypervolume
from gnomon.search.archive import Archive
from gnomon.search.evolution import nsga2
from gnomon.search.objective import Direction, Values, measure
from gnomon.search.tactic import TACTICS
from gnomon.supernets import load_space
from gnomon.supernets.space import Indices

PROFILE = "ofa_mobilenetv3/amd-epyc-2c.onnxruntime.fp32.b1.t1"
DIRECTIONS: tuple[Direction, ...] = ("max", "min")
WORST_TOP1, NOISE = 71.0, 0.02
AFTER = (25, 50, 100, 150, 250)
TARGETS = (0.90, 0.95, 0.98, 0.99)
ENTRANTS = {
    "random": {"tactic": "random", "population": 50},
    "NSGA-II": {"tactic": "evolutionary", "population": 50},
    "LINAS, ridge": {"tactic": "linas", "surrogate": "ridge", "population": 50},
    "LINAS, SVR": {"tactic": "linas", "surrogate": "svr", "population": 50},
    "expected gain, 4 at a time": {"tactic": "gnomon", "population": 4},
    "expected gain, 1 at a time": {"tactic": "gnomon", "population": 1},
}


@dataclass(frozen=True)
class Landscape:
    """Top-1 in percent and latency in microseconds of every network, without noise."""

    path: Path

    def top1(self, rows: Indices) -> Values:
        """Return the fitted top-1, (n,)."""
        ridge, boosted = fitted(self.path)
        features = load_space("ofa_mobilenetv3").one_hot(rows)
        return np.asarray(ridge.predict(features) + 0.5 * boosted.predict(features))


@cache
def fitted(path: Path) -> tuple:
    """Fit ridge and boosted residual to the published validations."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.linear_model import RidgeCV

    space = load_space("ofa_mobilenetv3")
    found = list(csv.DictReader(path.read_text().splitlines()))
    genes = [[int(digit) for digit in row["kernel"] + row["expand"] + row["depth"]] for row in found]
    indices = np.array([[c.options.index(value) for c, value in zip(space.choices, row)] for row in genes])
    features, top1 = space.one_hot(indices), np.array([float(row["top1_percent"]) for row in found])
    ridge = RidgeCV(np.logspace(-2, 3, 11)).fit(features, top1)
    boosted = HistGradientBoostingRegressor(max_iter=200, learning_rate=0.05, random_state=0)
    return ridge, boosted.fit(features, top1 - ridge.predict(features))


@dataclass(frozen=True)
class Accuracy:
    """Top-1 as validated: with the noise of a repeat."""

    landscape: Landscape
    rng: np.random.Generator
    name: str = "accuracy"
    unit: str = "percent"
    direction: Direction = "max"
    costly: bool = True

    def values(self, indices: Indices) -> Values:
        """Validate (n, d) networks, (n,)."""
        return self.landscape.top1(indices) + NOISE * self.rng.standard_normal(len(indices))


@dataclass(frozen=True)
class Latency:
    """Latency of the shipped profile."""

    name: str = "latency"
    unit: str = "us"
    direction: Direction = "min"
    costly: bool = False
    model: object = field(default_factory=lambda: load_profile(PROFILE).latency)

    def values(self, indices: Indices) -> Values:
        """Price (n, d) networks, (n,)."""
        return self.model.value_us(indices)


def corner() -> tuple[float, float]:
    """Return the reference point: the worst top-1, and the latency of the largest network."""
    return WORST_TOP1, float(Latency().values((load_space("ofa_mobilenetv3").radices - 1)[None])[0])


def best_known(path: Path) -> float:
    """Return the hypervolume of the best of three long NSGA-II runs on the landscape."""
    space, landscape, latency = load_space("ofa_mobilenetv3"), Landscape(path), Latency()
    volumes = []
    for seed in range(3):
        _, values = nsga2(
            space,
            lambda rows: np.stack([landscape.top1(rows), latency.values(rows)], axis=1),
            DIRECTIONS,
            population=100,
            evaluations=40_000,
            seed_indices=space.canonical(np.array([np.zeros_like(space.radices), space.radices - 1])),
            rng=np.random.default_rng(seed),
        )
        volumes.append(hypervolume(values, DIRECTIONS, corner()))
    return max(volumes)


def searched(path: Path, settings: dict, seed: int) -> tuple[list[float], float]:
    """Return the hypervolume after each validation, and the tactic's seconds."""
    space, landscape = load_space("ofa_mobilenetv3"), Landscape(path)
    objectives = (Accuracy(landscape, np.random.default_rng([seed, 7])), Latency())
    config = SearchConfig(space=space.name, budget=AFTER[-1], seed=seed, reference={"accuracy": WORST_TOP1}, **settings)
    tactic = TACTICS.builder(config.tactic)(config)
    measured: list[tuple[int, Indices, tuple[float, ...]]] = []
    number, seconds = 0, 0.0
    while len(measured) < config.budget:
        archive = Archive.of(space, objectives, measured=measured)
        n = min(config.population, config.budget - len(measured))
        started = time.process_time()
        rows = tactic.ask(archive, n, np.random.default_rng([seed, number]), number).rows
        seconds += time.process_time() - started
        measured += [(number, row, measure(objectives, row)) for row in rows]
        number += 1
    indices = np.array([row for _, row, _ in measured])
    values = np.stack([landscape.top1(indices), objectives[1].values(indices)], axis=1)
    return [hypervolume(values[:n], DIRECTIONS, corner()) for n in range(1, len(values) + 1)], seconds


def main() -> None:
    """Compare all tactics over seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", type=Path, required=True, help="ofa_mbv3_top1.csv")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", help="entrants whose name holds this")
    options = parser.parse_args()
    print_environment()
    whole = best_known(options.bench)
    chosen = {name: settings for name, settings in ENTRANTS.items() if (options.only or "") in name}
    print(
        f"seeds 0 to {options.seeds - 1}; reference {corner()[0]:.1f} %, {corner()[1]:.0f} us; share of the best known"
    )
    with ProcessPoolExecutor(options.jobs) as pool:
        for name, settings in chosen.items():
            jobs = [pool.submit(searched, options.bench, settings, seed) for seed in range(options.seeds)]
            traces, seconds = zip(*(job.result() for job in jobs))
            shares = np.array(traces) / whole
            for n in AFTER:
                print(f"{name:28s} after {n:3d}: {spread(shares[:, n - 1])}")
            for target in TARGETS:
                reached = [int(np.argmax(row >= target)) + 1 for row in shares if row.max() >= target]
                counts = spread(reached) if reached else "never"
                print(f"{name:28s} validations to {target}: {counts}, {len(reached)} of {len(shares)} seeds")
            print(f"{name:28s} tactic's seconds: {spread(seconds)}")


if __name__ == "__main__":
    main()
