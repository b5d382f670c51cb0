"""What a validation on a share of the images shows, where a landscape knows only the value on all of them.

Two networks are right about different images. If they disagree in that on a share D of the images, the difference of
their accuracies on n images has variance D / n, and each network's own part of it D / 2n. What both have in common
(the images happen to be easy) has the rest of a single network's variance p (1 - p) / n. On a share s of N images
both parts shrink as 1 / (s N) - 1 / N: nothing is left at s = 1. The images are fixed blocks in a fixed order: a larger
share contains a smaller, so an architecture's errors on two shares go together.

What D is. Independently right, two networks of accuracy p would disagree on 2 p (1 - p) of the images; in fact they are
right about the same ones far more often (ImageNet models: Mania et al. 2019, arXiv 1905.12580; Geirhos et al. 2020,
arXiv 2006.16736). Random sub-networks of our own super-network, which share weights, disagree on 3.8 % at p = 91.4 %: a
quarter of that, which would be 9 % at ImageNet's 75 %. `search_shares.py` measures it, and how well the variances above
hold there. Here every pair disagrees alike. In truth networks that differ in one gene disagree less (1.3 % there), so
partial validations tell more of neighbours than here; calibrating batch norm on a share adds errors left out here.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gnomon.search.problem.objective import Values
from gnomon.supernets.space.space import Indices

BLOCKS = 1000  # of images; a share is rounded to whole blocks


@dataclass(frozen=True)
class Images:
    """How many there are, on what share of them two networks differ in being right, and a typical accuracy."""

    number: int
    disagreement: float
    accuracy: float

    @property
    def own_deviation(self) -> float:
        """Standard deviation of a network's own error, in points, where 1 / s - 1 is 1."""
        return 100 * math.sqrt(self.disagreement / 2 / self.number)

    @property
    def common_deviation(self) -> float:
        """The same of what all networks have in common."""
        rest = self.accuracy * (1 - self.accuracy) - self.disagreement / 2
        return 100 * math.sqrt(max(rest, 0.0) / self.number)

    def errors(self, rows: Indices, share: float, seed: int) -> Values:
        """Return what a share adds to the top-1 of (n, d) canonical networks, in points, (n,)."""
        if share >= 1.0:
            return np.zeros(len(rows))
        common = self.common_deviation * bridge(b"images", share, seed)
        own = [bridge(np.ascontiguousarray(row, dtype=np.int64).tobytes(), share, seed) for row in rows]
        return common + self.own_deviation * np.array(own)


@lru_cache(maxsize=4096)
def block_means(key: bytes, seed: int) -> Values:
    """Return the mean of the first 1, 2, ... BLOCKS blocks less the mean of all, (BLOCKS,), for a key and a seed."""
    sums = np.cumsum(normal_draws(key, seed, BLOCKS)) / math.sqrt(BLOCKS)
    shares = np.arange(1, BLOCKS + 1) / BLOCKS
    return np.asarray(sums / shares - sums[-1])


def bridge(key: bytes, share: float, seed: int) -> float:
    """Return a normal error of variance 1 / share - 1: always the same for a key, a share and a seed."""
    return float(block_means(key, seed)[min(max(round(share * BLOCKS), 1), BLOCKS) - 1])


def normal_draws(key: bytes, seed: int, n: int) -> Values:
    """Return `n` standard normal draws that depend on the key and the seed only."""
    digest = hashlib.sha256(seed.to_bytes(8, "big") + key).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big")).standard_normal(n)
