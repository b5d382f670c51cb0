"""How much hypervolume a measurement is expected to gain.

With one or two objectives, independent and normal, the expectation has a closed form: the front is a staircase, and on
each of its steps the gain is a product of two expected improvements (Jones et al. 1998; Yang et al. 2019,
doi:10.1007/s10898-019-00798-7). With more, it is a mean over fixed antithetic draws (Daulton et al. 2020,
arXiv 2006.05078, without its gradients).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..problem.objective import Direction, Values, minimised

DRAWS = 32  # of the predicted objectives, where there is no closed form
FINALISTS = 64  # candidates whose gain is drawn
FAR = 1e5  # deviations below a threshold, from where the tail is its leading term
LOG_ROOT_TAU, ROOT_HALF_PI = 0.5 * math.log(2.0 * math.pi), math.sqrt(0.5 * math.pi)


def log_expected_hypervolume_improvement(
    mean: Values, deviation: Values, front: Values, directions: Sequence[Direction], reference: Sequence[float]
) -> Values:
    """Return the log of each candidate's expected gain in hypervolume by itself, (n,), over what was measured (k, m).

    `mean` and `deviation` are (n, m); deviations of exact objectives are zero. In logarithms, so that candidates late
    in a search, whose gains are too small for a float, are still ordered (Ament et al. 2023, arXiv 2310.20708); with
    three objectives or more, whose gain is drawn, it is minus infinity where no draw gains.
    """
    costs = minimised(mean, directions)
    front_costs = minimised(front, directions)
    corner = minimised(np.array([reference], dtype=np.float64), directions)[0]
    if costs.shape[1] == 1:
        least = min(float(corner[0]), float(front_costs.min(initial=np.inf)))
        return log_improvement(np.array([[least]]), costs, deviation)[:, 0]
    if costs.shape[1] == 2:
        return log_staircase_gain(costs, deviation, front_costs, corner)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.maximum(drawn_gain(costs, deviation, front_costs, corner), 0.0)))


def log_staircase_gain(costs: Values, deviation: Values, front: Values, corner: Values) -> Values:
    """Return the log of the expected gain (n,) of costs N(costs, deviation), (n, 2) both, over a front (k, 2).

    `corner` is the worst of both.
    """
    from scipy.special import logsumexp

    inside = front[(front < corner).all(axis=1)]
    inside = inside[np.lexsort((inside[:, 0], inside[:, 1]))]
    below = np.minimum.accumulate(np.concatenate([corner[:1], inside[:, 0]]))
    inside = inside[inside[:, 0] < below[:-1]]  # what another dominates makes no step
    edges = np.concatenate([inside[:, 1], corner[1:]])
    heights = np.concatenate([corner[:1], inside[:, 0]])
    reach = log_improvement(edges[None], costs[:, 1:], deviation[:, 1:])
    before = np.concatenate([np.full((len(reach), 1), -np.inf), reach[:, :-1]], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):  # a step of no width has the log of zero
        lost = np.where(np.isneginf(before), 0.0, np.exp(np.minimum(before - reach, 0.0)))
        widths = np.where(np.isneginf(reach), -np.inf, reach + np.log1p(-lost))  # of each step, beyond the candidate
        return np.asarray(logsumexp(widths + log_improvement(heights[None], costs[:, :1], deviation[:, :1]), axis=1))


def log_improvement(below: Values, mean: Values, deviation: Values) -> Values:
    """Return the log of how far N(mean, deviation), (n, 1), is expected to fall below (1, k) thresholds, (n, k)."""
    distance = below - mean
    with np.errstate(divide="ignore"):
        if not deviation.any():
            return np.asarray(np.log(np.maximum(distance, 0.0)))
        spread = np.maximum(deviation, 1e-12)
        uncertain = log_standard_improvement(distance / spread) + np.log(spread)
        return np.asarray(np.where(deviation > 0, uncertain, np.log(np.maximum(distance, 0.0))))


def log_standard_improvement(z: Values) -> Values:
    """Return the log of how far N(0, 1) is expected to fall below thresholds of any shape."""
    from scipy.special import erfcx, ndtr

    near, far = z > -1.0, z <= -FAR
    tail = ~near
    result = np.empty_like(z)
    above = z[near]
    result[near] = np.log(np.exp(-0.5 * np.square(np.minimum(above, 40.0)) - LOG_ROOT_TAU) + above * ndtr(above))
    beyond = np.maximum(z[tail], -FAR)
    log_density = -0.5 * np.square(np.minimum(-z[tail], 1e150)) - LOG_ROOT_TAU
    result[tail] = log_density + np.log1p(beyond * ROOT_HALF_PI * erfcx(-beyond / math.sqrt(2.0)))
    if far.any():
        result[far] = (log_density - 2.0 * np.log(-z[tail]))[far[tail]]
    return result


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
    """Return fixed normal draws, pseudo-random and their opposites, (DRAWS, m)."""
    half = np.random.default_rng(0).standard_normal((DRAWS // 2, m))
    return np.concatenate([half, -half])
