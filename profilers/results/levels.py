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
from typing import TYPE_CHECKING, Any, FrozenSet, NamedTuple, Optional, Sequence, Tuple

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
ROUNDING = 1e-6  # of a log-likelihood, at most
EVIDENCE = 5.0  # log-likelihood by which a moving level must beat a constant one to be believed


def speed_levels(readings: Sequence[float], starts: FrozenSet[int] = frozenset()) -> Tuple[float, ...]:
    """Return the level at each of some ``readings``, both natural logarithms; all equal if they only show noise.

    ``starts`` are positions at which the level may be another one without being rare. Costs time in proportion to the
    number of readings, about a fifth of a second for a thousand.
    """
    import numpy as np

    if not readings:
        return ()
    values = np.asarray(readings, dtype=np.float64)
    low, high = values.min() - 0.1, values.max() + 0.1
    states = min(MAX_STATES, int((high - low) / GRID_STEP) + 1)
    grid = np.linspace(low, high, states)
    noises = [_Densities.of(values, grid, noise) for noise in NOISES]
    still = _likeliest([_Chain(grid, starts, noise, None) for noise in noises], least=-math.inf)
    assert still is not None  # anything is likelier than nothing
    noises.sort(key=lambda noise: noise is not still.chain.noise)  # the likely one first, so that others end early
    chains = [_Chain(grid, starts, noise, wander) for noise, wander in itertools.product(noises, WANDERS)]
    chosen = _likeliest(chains, least=still.log_likelihood + EVIDENCE) or still
    return tuple(float(level) for level in chosen.chain.levels(chosen.beliefs))


class _Densities(NamedTuple):
    """The probability density of each reading at each level, (n, levels), for one noise.

    most: what the log-likelihood of that reading and all later ones can be at most, (n,).
    """

    found: Array
    most: Sequence[float]

    @classmethod
    def of(cls, values: Array, grid: Array, noise: float) -> _Densities:
        """Return the densities of values (n,) at the levels of a grid."""
        import numpy as np

        excess = values[:, None] - grid[None, :]
        untouched = np.exp(-0.5 * (excess / noise) ** 2) / (noise * math.sqrt(2 * math.pi))
        hit = ((excess > 0) & (excess < HIT_RANGE)) / HIT_RANGE
        found = (1 - HIT) * untouched + HIT * hit + STRAY
        return cls(found, np.cumsum(np.log(found.max(axis=1))[::-1])[::-1].tolist())


class _Fit(NamedTuple):
    """How likely a chain makes the readings, and what it believes (n, levels) given those up to each."""

    log_likelihood: float
    chain: _Chain
    beliefs: Array


def _likeliest(chains: Sequence[_Chain], *, least: float) -> Optional[_Fit]:
    """Return the chain that makes the readings likeliest; None where their log-likelihood is at most ``least``."""
    best: Optional[_Fit] = None
    for chain in chains:
        found = chain.fit(least if best is None else best.log_likelihood)
        best = best if found is None else found
    return best


class _Chain:
    """The hidden Markov chain of levels, with the noise of readings.

    The level wanders so far from one reading to the next; a wander of None is a constant level.
    """

    def __init__(self, grid: Array, starts: FrozenSet[int], noise: _Densities, wander: Optional[float]) -> None:
        import numpy as np

        self.noise, self._grid, self._starts, self._wander = noise, grid, starts, wander
        step = grid[1] - grid[0]
        self._reach = math.ceil(4 * (wander or 0.0) / step)
        at = np.arange(-self._reach, self._reach + 1) * step
        kernel = np.exp(-0.5 * (at / max(wander or 0.0, 1e-9)) ** 2)
        self._kernel = kernel / kernel.sum()

    def fit(self, least: float) -> Optional[_Fit]:
        """Return how likely the readings are; None where their log-likelihood is at most ``least``.

        That shows early: no reading can be likelier than at the level that suits it best.
        """
        import numpy as np

        beliefs = np.empty_like(self.noise.found)
        log_likelihood, belief = 0.0, np.full(len(self._grid), 1 / len(self._grid))
        for position, most in enumerate(self.noise.most):
            if log_likelihood + most + ROUNDING <= least:
                return None
            belief = (self._moved(belief, position) if position else belief) * self.noise.found[position]
            total = belief.sum()
            log_likelihood += math.log(total)
            beliefs[position] = belief = np.maximum(belief / total, LEAST)
        return _Fit(log_likelihood, self, beliefs) if log_likelihood > least else None

    def levels(self, beliefs: Array) -> Array:
        """Return the posterior median level at each reading, (n,), by the beliefs of its fit."""
        import numpy as np

        densities, grid = self.noise.found, self._grid
        levels, backward = np.empty(len(densities)), np.ones(len(grid))
        for position in reversed(range(len(densities))):
            levels[position] = _median(grid, beliefs[position] * backward)
            backward = self._moved(backward * densities[position], position)
            backward = np.maximum(backward / backward.sum(), LEAST)
        return levels

    def _moved(self, belief: Array, position: int) -> Array:
        """Return what is believed of the next reading's level, given that of one."""
        import numpy as np

        if self._wander is None:
            return belief
        jump = START_JUMP if position in self._starts else JUMP
        spread = np.correlate(belief, self._kernel, "same") if self._reach else belief
        found: Array = (1 - jump) * spread + jump * belief.sum() / len(self._grid)
        return found


def _median(grid: Array, weights: Array) -> float:
    import numpy as np

    share = np.cumsum(weights) / weights.sum()
    return float(np.interp(0.5, share - 0.5 * weights / weights.sum(), grid))
