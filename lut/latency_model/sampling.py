"""Which whole networks to measure beside the layers.

They must show how layers add up in every network that a search may choose. Random networks are alike, because genes
that are drawn independently average out; a search chooses unusual ones, such as few MACs with many weights. So half of
the networks are spread evenly over the ranks of MACs, and half are driven apart in every physical quantity.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ...supernets import SearchSpace
from .terms import PHYSICAL

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

POOL = 4000  # leaning networks to choose from
CLIMBS = 200  # networks driven in a direction of their own


def networks_for(space: SearchSpace, n: int, rng: np.random.Generator) -> Indices:
    """Choose `n` distinct architectures (at least two), or all there are, smallest and largest among them, (n, d)."""
    n = max(n, 2)
    ends = space.canonical(np.array([np.zeros_like(space.radices), space.radices - 1]))
    leaning = np.vstack([ends, leaning_networks(space, rng)])
    even = spread_by_macs(space, leaning, n - n // 2)
    chosen = farthest_from(space, even, np.vstack([leaning, driven_networks(space, rng)]), n)
    return chosen[np.argsort(space.macs(chosen), kind="stable")]


def leaning_networks(space: SearchSpace, rng: np.random.Generator) -> Indices:
    """Draw networks that prefer small or large options, each by its own amount, (m, d)."""
    lean = rng.uniform(-1, 1, size=(POOL, 1))
    uniform = rng.random((POOL, len(space.choices)))
    leaning = np.where(lean < 0, uniform ** (1 - 4 * lean), 1 - (1 - uniform) ** (1 + 4 * lean))
    return space.canonical(np.minimum((leaning * space.radices).astype(np.int64), space.radices - 1))


def driven_networks(space: SearchSpace, rng: np.random.Generator) -> Indices:
    """Drive random networks, gene by gene, along random directions of their physical sums, (m, d).

    Each stops after its own share of the genes, so that not all end at the edge.
    """
    rows = space.sample(CLIMBS, rng)
    directions = rng.standard_normal((CLIMBS, len(PHYSICAL)))
    stops = rng.uniform(0.3, 1.0, CLIMBS) * len(space.choices)
    sums_of = physical_sums(space)
    for step, gene in enumerate(rng.permutation(len(space.choices))):
        options = np.repeat(rows[:, None], space.radices[gene], axis=1)
        options[:, :, gene] = np.arange(space.radices[gene])
        sums = sums_of(options.reshape(-1, len(space.choices))).reshape(*options.shape[:2], -1)
        best = np.argmax(np.einsum("mok,mk->mo", sums, directions), axis=1)
        rows[:, gene] = np.where(step < stops, best, rows[:, gene])
    return space.canonical(rows)


def spread_by_macs(space: SearchSpace, pool: Indices, n: int) -> Indices:
    """Choose up to `n` distinct networks evenly over the ranks of MACs, (n, d)."""
    pool = np.unique(pool, axis=0)
    ranked = pool[np.argsort(space.macs(pool), kind="stable")]
    chosen = np.unique(np.linspace(0, len(ranked) - 1, min(n, len(ranked))).round().astype(np.int64))
    return np.asarray(ranked[chosen], dtype=np.int64)


def farthest_from(space: SearchSpace, known: Indices, pool: Indices, n: int) -> Indices:
    """Add to `known` those of the pool that lie farthest from all chosen so far, up to `n` in all, (n, d)."""
    pool = np.unique(pool[~np.any(np.all(pool[:, None] == known[None], axis=2), axis=1)], axis=0)
    sums_of = physical_sums(space)
    at = sums_of(np.vstack([known, pool]))
    at /= np.maximum(at.std(axis=0), 1e-9)
    distance = np.linalg.norm(at[len(known) :, None] - at[None, : len(known)], axis=2).min(axis=1)
    chosen = [*known]
    for _ in range(min(n - len(known), len(pool))):
        index = int(np.argmax(distance))
        chosen.append(pool[index])
        distance = np.minimum(distance, np.linalg.norm(at[len(known) :] - at[len(known) + index], axis=1))
        distance[index] = -1.0
    return np.array(chosen, dtype=np.int64)


def physical_sums(space: SearchSpace) -> Callable[[Indices], Array]:
    """Return a function that gives the log of each physical quantity summed over layers, (n, k) for (n, d)."""
    sums = [space.slot_sum(value_of) for value_of in PHYSICAL.values()]
    return lambda rows: np.log(np.column_stack([total(rows) for total in sums]))
