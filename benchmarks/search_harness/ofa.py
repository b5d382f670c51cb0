"""A landscape like that of Once-for-All's MobileNetV3 on ImageNet, fitted to 2,373 published validations.

Top-1 is a ridge on masked genes plus half of a boosted residual. A validation on all 50,000 images adds 0.02 points
of noise, as repeats of the published ones do. Latency comes from a shipped profile. Hypervolume counts from 71.0 % and
the latency of the largest network; the best known is that of the best of three NSGA-II runs of 40,000 evaluations on
the noise-free values.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gnomon import load_profile
from gnomon.search import hypervolume
from gnomon.search.evolution.evolve import nsga2
from gnomon.search.problem.objective import Values
from gnomon.supernets import SearchSpace, load_space
from gnomon.supernets.space.space import Indices
from search_harness.images import Images, normal_draws
from search_harness.landscape import DIRECTIONS

WORST_TOP1, NOISE = 71.0, 0.02
IMAGES = Images(number=50_000, disagreement=0.10, accuracy=0.75)


@dataclass(frozen=True)
class Ofa:
    """`path` is the table of published validations, `backend` that of the shipped profile."""

    path: Path
    backend: str = "onnxruntime"
    price_name: str = "latency"
    price_unit: str = "us"
    population: int = 50
    inner_evaluations: int = 20_000
    best_is_fixed: bool = True

    @property
    def name(self) -> str:
        """`ofa`, with the backend where it is not the first one."""
        return "ofa" if self.backend == "onnxruntime" else f"ofa-{self.backend}"

    @property
    def setting(self) -> str:
        """Noise, and what partial validations assume."""
        return f"noise {NOISE}, {IMAGES.number} images, disagreement {IMAGES.disagreement}"

    @cached_property
    def space(self) -> SearchSpace:
        """The published space."""
        return load_space("ofa_mobilenetv3")

    @cached_property
    def reference(self) -> tuple[float, float]:
        """71.0 %, and the latency of the largest network."""
        return WORST_TOP1, float(self.price((self.space.radices - 1)[None])[0])

    @cached_property
    def latency(self) -> Any:
        """The latency model of the profile."""
        return load_profile(f"ofa_mobilenetv3/amd-epyc-2c.{self.backend}.fp32.b1.t1").latency

    def top1(self, rows: Indices) -> Values:
        """Return the fitted top-1, (n,)."""
        ridge, boosted = fitted(self.path)
        features = self.space.one_hot(rows)
        return np.asarray(ridge.predict(features) + 0.5 * boosted.predict(features))

    def price(self, rows: Indices) -> Values:
        """Return the profile's latency, (n,)."""
        return np.asarray(self.latency.value_us(rows))

    def validated(self, rows: Indices, share: float, seed: int) -> Values:
        """Add the noise of a repeat, and what a share adds, (n,)."""
        canonical = self.space.canonical(rows)
        noise = [normal_draws(b"repeat" + row.tobytes(), seed, 1)[0] for row in canonical]
        return self.top1(rows) + NOISE * np.array(noise) + IMAGES.errors(canonical, share, seed)

    def best_known(self) -> float:
        """Search the noise-free values at length; takes half a minute."""
        volumes = []
        for seed in range(3):
            _, values = nsga2(
                self.space,
                lambda rows: np.stack([self.top1(rows), self.price(rows)], axis=1),
                DIRECTIONS,
                population=100,
                evaluations=40_000,
                seed_indices=self.space.canonical(
                    np.array([np.zeros_like(self.space.radices), self.space.radices - 1])
                ),
                rng=np.random.default_rng(seed),
            )
            volumes.append(hypervolume(values, DIRECTIONS, self.reference))
        return max(volumes)


@cache
def fitted(path: Path) -> tuple[Any, Any]:
    """Fit ridge and boosted residual to the published validations."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.linear_model import RidgeCV

    space = load_space("ofa_mobilenetv3")
    found = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    genes = [[int(digit) for digit in row["kernel"] + row["expand"] + row["depth"]] for row in found]
    indices = np.array([[c.options.index(value) for c, value in zip(space.choices, row)] for row in genes])
    features, top1 = space.one_hot(indices), np.array([float(row["top1_percent"]) for row in found])
    ridge = RidgeCV(np.logspace(-2, 3, 11)).fit(features, top1)
    boosted = HistGradientBoostingRegressor(max_iter=200, learning_rate=0.05, random_state=0)
    return ridge, boosted.fit(features, top1 - ridge.predict(features))
