"""The speed level behind noisy readings: what is sustained, told from what hits single readings.

A reading of the machine's speed is either at the level of its moment, give or take its own noise, or it was hit by a
spell of other work and is slower, by anything up to x1.8. The level itself stays, wanders a little, or jumps, which
is rare. This is a hidden Markov model over a fine grid of levels; its posterior median follows drift, steps and slow
halves, while a spell has to hold for about five readings in a row before it counts as a level. How noisy readings are
and how far the level wanders is what makes the readings likeliest. Nothing here knows what an anchor or a session is.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, FrozenSet, Sequence, Tuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

GRID_STEP = 0.002  # levels a grid step apart; all levels are natural logarithms
MAX_STATES = 1_000  # coarser steps rather than more states
NOISES = (0.003, 0.006, 0.012, 0.024)  # of a reading that nothing hit
WANDERS = (0.0, 0.001, 0.003, 0.008)  # of the level, from one reading to the next
JUMP = 1e-4  # how likely the level jumps between two readings
START_JUMP = 0.5  # the same where something began anew, as a session does
HIT = 0.25  # how likely a reading is hit by a spell of other work
HIT_RANGE = math.log(1.8)  # and by how much at most
STRAY = 1e-4  # density of readings that fit nothing
LEAST = 1e-100  # belief in any level, so that readings at odds leave some belief in common
EVIDENCE = 5.0  # log-likelihood by which a moving level must beat a constant one to be believed


def speed_levels(readings: Sequence[float], starts: FrozenSet[int] = frozenset()) -> Tuple[float, ...]:
    """Return the level at each of some ``readings``, both natural logarithms; all equal if they only show noise.

    ``starts`` are positions at which the level may be another one without being rare. Costs time in proportion to the
    number of readings, about a second for a thousand.
    """
    import numpy as np

    if not readings:
        return ()
    values = np.asarray(readings, dtype=np.float64)
    low, high = values.min() - 0.1, values.max() + 0.1
    states = min(MAX_STATES, int((high - low) / GRID_STEP) + 1)
    grid = np.linspace(low, high, states)
    still = _likeliest(values, grid, starts, wanders=(None,))
    moving = _likeliest(values, grid, starts, wanders=WANDERS)
    return tuple(float(level) for level in (moving if moving[0] > still[0] + EVIDENCE else still)[1])


def _likeliest(values: Array, grid: Array, starts: FrozenSet[int], *, wanders: Sequence[Any]) -> Tuple[float, Array]:
    """Return the log-likelihood and levels under the best noise and wander; a wander of None is a constant level."""
    candidates = (_smoothed(values, grid, starts, *pair) for pair in itertools.product(NOISES, wanders))
    return max(candidates, key=lambda candidate: candidate[0])


def _smoothed(values: Array, grid: Array, starts: FrozenSet[int], noise: float, wander: Any) -> Tuple[float, Array]:
    """Return the log-likelihood of ``values`` and the posterior median level at each of them, (n,)."""
    import numpy as np

    step = grid[1] - grid[0]
    reach = math.ceil(4 * (wander or 0.0) / step)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * step / max(wander or 0.0, 1e-9)) ** 2)
    kernel /= kernel.sum()

    def moved(belief: Array, position: int) -> Array:
        if wander is None:
            return belief
        jump = START_JUMP if position in starts else JUMP
        spread = np.convolve(belief, kernel, "same") if reach else belief
        found: Array = (1 - jump) * spread + jump * belief.sum() / len(grid)
        return found

    densities = _densities(values, grid, noise)
    forward = np.empty_like(densities)
    log_likelihood, belief = 0.0, np.full(len(grid), 1 / len(grid))
    for position in range(len(values)):
        belief = (moved(belief, position) if position else belief) * densities[position]
        total = belief.sum()
        log_likelihood += math.log(total)
        forward[position] = belief = np.maximum(belief / total, LEAST)
    levels, backward = np.empty(len(values)), np.ones(len(grid))
    for position in reversed(range(len(values))):
        levels[position] = _median(grid, forward[position] * backward)
        backward = moved(backward * densities[position], position)
        backward = np.maximum(backward / backward.sum(), LEAST)
    return log_likelihood, levels


def _densities(values: Array, grid: Array, noise: float) -> Array:
    """Return the probability density of each value at each level, (n, levels)."""
    import numpy as np

    excess = values[:, None] - grid[None, :]
    untouched = np.exp(-0.5 * (excess / noise) ** 2) / (noise * math.sqrt(2 * math.pi))
    hit = ((excess > 0) & (excess < HIT_RANGE)) / HIT_RANGE
    found: Array = (1 - HIT) * untouched + HIT * hit + STRAY
    return found


def _median(grid: Array, weights: Array) -> float:
    import numpy as np

    share = np.cumsum(weights) / weights.sum()
    return float(np.interp(0.5, share - 0.5 * weights / weights.sum(), grid))
