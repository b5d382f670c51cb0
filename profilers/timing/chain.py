"""The core as a two-state Markov chain: ours, or shared; what two probe readings say of the time between them.

Both readings clean do not mean that all between them was: a neighbour may have come and gone. How likely that is
follows from how often the core changes hands, which the readings of a whole run show. The chain is the plainest one,
of spells with exponential lengths (the telegraph process); its two parameters are fitted by their likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

SLOWEST_PER_US, QUICKEST_PER_US, STEPS = 1e-8, 1e-1, 141  # changes of hands that are looked for: 100 s down to 10 us
SHORT = 1e-4  # changes of hands between two readings, from which the formulas lose their digits
LEAST_PAIRS = 20  # of readings, before a chain is read off them
CREDIBLE = 2.0  # log likelihood that a credible chain may lack to the likeliest: 95 % of one parameter
BINS_PER_E = 20.0  # of log time, in which pairs are counted together


@dataclass(frozen=True)
class Chain:
    """A core that is shared ``shared`` (between 0 and 1) of the time and changes hands ``rate_per_us`` often.

    rate_per_us: the sum of both rates: of the neighbour's coming, ``rate * shared``, and of its leaving.
    """

    shared: float
    rate_per_us: float

    def undisturbed(self, block_us: Array) -> Array:
        """Return how likely nobody came in a block between two clean readings, by its microseconds, (n,)."""
        import numpy as np

        lasted = np.exp(-self.rate_per_us * self.shared * block_us)
        forgotten = np.exp(-self.rate_per_us * block_us)
        return np.asarray(lasted / (1 - self.shared + self.shared * forgotten))

    def shared_within(self, before: Array, after: Array, block_us: Array) -> Array:
        """Return the expected share of each block that was not ours, (n,).

        before, after: whether the readings around the block were shared, (n,) booleans.
        """
        import numpy as np

        changes = np.maximum(self.rate_per_us * block_us, SHORT)
        s, c = self.shared, 1 - self.shared
        e = np.exp(-changes)
        gone = -np.expm1(-changes)  # how much of the state is forgotten
        both_clean = s * c * ((1 + e) - 2 * gone / changes) / (c + s * e)
        one_each = (s + (c - s) * gone / changes - c * e) / gone
        both_shared = (s * s + 2 * s * c * gone / changes + c * c * e) / (s + c * e)
        return np.asarray(np.select([before & after, before ^ after], [both_shared, one_each], both_clean))


def fit_chain(before: Array, after: Array, apart_us: Array) -> Optional[Chain]:
    """Return the slowest credible chain of pairs of readings, (n,) each; None where all are alike, or they are few.

    The slowest: single readings that an interrupt hit would as well be explained by any number of short visits between
    readings, of which nothing is known.

    before, after: whether the core was shared at the first and the second reading. apart_us: the time between them.
    """
    import numpy as np

    shared = float(np.mean(np.concatenate([before, after]))) if len(before) else 0.0
    if len(before) < LEAST_PAIRS or not 0 < shared < 1:
        return None
    bins = np.round(np.log(np.maximum(apart_us, 1e-3)) * BINS_PER_E).astype(np.int64)
    kinds = np.where(before & after, 2, np.where(before ^ after, 1, 0))
    times, place = np.unique(bins, return_inverse=True)
    counts = np.zeros((len(times), 3))
    np.add.at(counts, (place, kinds), 1.0)
    rates = np.geomspace(SLOWEST_PER_US, QUICKEST_PER_US, STEPS)
    forgotten = np.exp(-rates[:, None] * np.exp(times / BINS_PER_E))
    s, c = shared, 1 - shared
    likelihood = (
        counts[:, 0] * np.log(c * (c + s * forgotten))
        + counts[:, 1] * np.log(np.maximum(s * c * (1 - forgotten), 1e-300))
        + counts[:, 2] * np.log(s * (s + c * forgotten))
    ).sum(axis=1)
    return Chain(shared, float(rates[int(np.argmax(likelihood >= likelihood.max() - CREDIBLE))]))
