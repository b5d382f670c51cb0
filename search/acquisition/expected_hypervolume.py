"""How much hypervolume a measurement is expected to gain.

With one or two objectives, independent and normal, the expectation has a closed form: the front is a staircase, and on
each of its steps the gain is a product of two expected improvements (Jones et al. 1998; Yang et al. 2019,
doi:10.1007/s10898-019-00798-7). With more, it is a mean over fixed quasi-random draws (Daulton et al. 2020,
arXiv 2006.05078, without its gradients).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..problem.objective import Direction, Values, minimised

DRAWS = 32  # of the predicted objectives, where there is no closed form
FINALISTS = 64  # candidates whose gain is drawn


def expected_hypervolume_improvement(
    mean: Values, deviation: Values, front: Values, directions: Sequence[Direction], reference: Sequence[float]
) -> Values:
    """Return the expected gain in hypervolume of each candidate by itself, (n,), over what was measured (k, m).

    `mean` and `deviation` are (n, m); deviations of exact objectives are zero.
    """
    costs = minimised(mean, directions)
    known = minimised(front, directions)
    corner = minimised(np.array([reference], dtype=np.float64), directions)[0]
    if costs.shape[1] == 1:
        least = min(float(corner[0]), float(known.min(initial=np.inf)))
        return improvement(np.array([[least]]), costs, deviation)[:, 0]
    if costs.shape[1] == 2:
        return staircase_gain(costs, deviation, known, corner)
    return drawn_gain(costs, deviation, known, corner)


def staircase_gain(costs: Values, deviation: Values, front: Values, corner: Values) -> Values:
    """Return the expected gain (n,) of costs N(costs, deviation), (n, 2) both, over a front (k, 2).

    `corner` is the worst of both.
    """
    inside = front[(front < corner).all(axis=1)]
    inside = inside[np.argsort(inside[:, 1], kind="stable")]
    edges = np.concatenate([inside[:, 1], corner[1:]])
    heights = np.minimum.accumulate(np.concatenate([corner[:1], inside[:, 0]]))
    reach = improvement(edges[None], costs[:, 1:], deviation[:, 1:])
    widths = np.diff(reach, axis=1, prepend=0.0)  # of each step, beyond where the candidate falls
    return np.asarray((widths * improvement(heights[None], costs[:, :1], deviation[:, :1])).sum(axis=1))


def improvement(below: Values, mean: Values, deviation: Values) -> Values:
    """Return how far N(mean, deviation), (n, 1) both, is expected to fall below (1, k) thresholds, (n, k)."""
    distance = below - mean
    spread = np.maximum(deviation, 1e-12)
    z = distance / spread
    expected = spread * density(z) + distance * cumulative(z)
    return np.maximum(np.where(deviation > 0, expected, distance), 0.0)


def drawn_gain(costs: Values, deviation: Values, front: Values, corner: Values) -> Values:
    """Return the mean gain (n,) over draws; only of the candidates whose optimistic costs gain most, zero of others."""
    from moocore import hypervolume

    def volume(points: Values) -> float:
        return float(hypervolume(points, ref=corner)) if len(points) else 0.0

    base = volume(front)
    optimistic = np.array([volume(np.vstack([front, row])) - base for row in costs - deviation])
    gain = np.zeros(len(costs))
    draws = normal_draws(costs.shape[1])
    for index in np.argsort(-optimistic, kind="stable")[:FINALISTS]:
        points = costs[index] + deviation[index] * draws
        gain[index] = np.mean([volume(np.vstack([front, point])) - base for point in points])
    return gain


def normal_draws(m: int) -> Values:
    """Return fixed normal draws, antithetic, (DRAWS, m)."""
    half = np.random.default_rng(0).standard_normal((DRAWS // 2, m))
    return np.concatenate([half, -half])


def density(z: Values) -> Values:
    """Return the standard normal density."""
    return np.asarray(np.exp(-0.5 * np.minimum(z**2, 1400.0)) / math.sqrt(2 * math.pi))


def cumulative(z: Values) -> Values:
    """Return the standard normal distribution function (Abramowitz & Stegun 7.1.26: within 1.5e-7)."""
    x = np.abs(z) / math.sqrt(2)
    t = 1 / (1 + 0.3275911 * x)
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    tail = 0.5 * series * np.exp(-np.minimum(x**2, 700.0))
    return np.asarray(np.where(z > 0, 1 - tail, tail))
