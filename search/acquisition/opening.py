"""The first rounds of a search, before it thinks of the front: looks and validations that tell most about all genes.

Where costly objectives can be measured on a share of their data, many architectures are looked at, and a few of them,
half of these the most promising, are measured more exactly too, which shows what a look is worth: on a larger share
where it is of the examples that decide, and if that leaves it open whether looks are exact enough to count, in full.
Where looks pay, more follow; else architectures spread over the space are validated.
"""

from __future__ import annotations

import numpy as np

from ...lut.latency_model.sampling import networks_for
from ...supernets.evaluation.deciding import PILOTS
from ...supernets.space.space import Indices
from ..archive import Archive
from ..errors import SpaceExhausted
from ..fronts.counting import MOST
from ..prediction.posterior import Posterior
from ..problem.objective import Values
from ..runs.files.stopping import TOLERANCE
from ..tactic import Batch
from .batch_choice import Choosing
from .fidelity import counting_share, partial_evaluations_pay
from .first_few import between_ends
from .initial_design import informative

AMPLE = 20  # full validations: from here on the ends and looks pay
MODEST = 5  # and from here on where the examples that decide are known
LEAST, FEW = 3, 0.4  # of a smaller budget so much, or this share, is validated first
FIRST = 10  # spread-out architectures validated at first where partial evaluations cannot be had, or tell too little
PAIRS = 4  # architectures measured both ways before looks are judged
TRIAL_PARTIAL = 2.0  # full validations' worth of partial evaluations by then
MODEST_PAIRS, MODEST_PARTIAL = 3, 1.0  # the same of a budget that is not ample
LARGER = 4.0  # times the share of a look: where examples decide, that of the other one of a pair, at most MOST
FIRST_PARTIAL = 5.0  # in all, where partial evaluations pay, at most; no more than these for each effect to learn:
LOOKS_AN_EFFECT = 2


def opening(
    archive: Archive, n: int, share: float, seed: int, rng: np.random.Generator, *, budget: int
) -> Batch | None:
    """Return what a round that may cost `n` measures while the search opens; None once it is over.

    `budget` is what the search was told it may cost when it began. Measurements that failed or are pending count as
    made; what values decide waits for them.
    """
    decide = archive.pilots == PILOTS and share < 1.0
    if budget < (MODEST if decide else AMPLE):
        few = max(min(budget, LEAST), round(FEW * budget))
        left = min(n, few - archive.validated)
        if left < 1:
            return Batch.waiting(archive) if awaits(archive, few) else None
        return batch(archive, archive.topped_up(between_ends(archive, few, seed), left, rng), left, share)
    full, looked = archive.validated, archive.partial_cost + share - TOLERANCE
    trial = archive.divisible and share < 1.0 and full < FIRST
    pairs, at_first = (PAIRS, TRIAL_PARTIAL) if budget >= AMPLE else (MODEST_PAIRS, MODEST_PARTIAL)
    if trial and looked <= at_first:
        return opened(archive, n, share, seed, rng, until=archive.pilots, partial_budget=at_first - looked + share)
    if decide and trial and (checks := checked(archive, n, share, pairs, rng)) is not None:
        return checks
    if decide and counting_share(archive, share, budget) < 1.0:
        return None
    judged = pairs + archive.pilots if trial else FIRST
    if trial and full < judged and len(archive.indices) and len(archive.partial.indices):
        return paired(archive, min(n, judged - full), 1.0, rng)
    if full < judged:
        return opened(archive, n, share, seed, rng, until=judged)
    worth = min(FIRST_PARTIAL, LOOKS_AN_EFFECT * share * int((archive.space.radices - 1).sum()))
    if full >= FIRST and looked > worth:
        return None
    if awaits(archive, judged):
        return Batch.waiting(archive)
    if budget < AMPLE:
        return None
    pay = share < 1.0 and partial_evaluations_pay(archive, share)
    if pay and looked <= worth:
        return opened(archive, n, share, seed, rng, until=0, partial_budget=worth - looked + share)
    if full < FIRST and not pay:
        return opened(archive, n, share, seed, rng, until=FIRST)
    return None


def checked(archive: Archive, n: int, share: float, pairs: int, rng: np.random.Generator) -> Batch | None:
    """Return what is left of so many pairs of looks and measurements on a larger share; None once all are known."""
    larger = min(LARGER * share, MOST)
    missing = pairs - evaluated_on(archive, larger)
    if larger <= share:
        return None
    if missing > 0:
        return paired(archive, min(int(n / larger + TOLERANCE), missing), larger, rng)
    return Batch.waiting(archive) if (archive.pending_shares < 1.0).any() else None


def paired(archive: Archive, n: int, share: float, rng: np.random.Generator) -> Batch:
    """Return `n` of the architectures that were looked at, to be measured on a larger share of the examples, or all.

    What promises most and what came first alternate. Among the most promising alone looks differ little, and so their
    errors would be judged too small: these were chosen for erring upwards. What came first was chosen without regard to
    what it showed.
    """
    posterior = Posterior.of(archive)
    rows = archive.unseen(archive.partial.indices)
    rows = rows[archive.not_partially_evaluated(rows, share)]
    made = evaluated_on(archive, share) if share < 1.0 else archive.validated - archive.pilots
    first = sum(number % 2 for number in range(made, made + n))
    best = Choosing.among(rows[first:], archive, posterior).best(n - first, share=share)
    rows = archive.topped_up(np.concatenate([rows[first:][best], rows[:first]]), n, rng)
    mean, deviation = posterior.expected(rows)
    return batch(archive, rows, n if share == 1.0 else 0, share, mean=mean, deviation=deviation)


def evaluated_on(archive: Archive, share: float) -> int:
    """Count the measurements on such a share of the examples and more, but not all; failed and pending ones too."""
    made = np.concatenate([archive.partial.shares, archive.failed_shares, archive.pending_shares])
    return int(((made >= share) & (made < 1.0)).sum())


def opened(
    archive: Archive,
    n: int,
    share: float,
    seed: int,
    rng: np.random.Generator,
    *,
    until: int,
    partial_budget: float = 0.0,
) -> Batch:
    """Return spread-out architectures to validate until so many are, and partial evaluations worth so much of `n`.

    The pilots are validated before any partial evaluation: one, so that a run of any budget has a front, or two, which
    show what examples decide. Where partial evaluations would leave nothing else of the space, all are validated.
    """
    spread = spread_out(archive, seed)
    missing = max(archive.pilots - archive.validated, 0)
    looks = int(min(partial_budget, max(n - missing, 0)) / share + TOLERANCE)
    looked = informative(archive, looks, share, rng)
    whole = min(n - whole_cost(len(looked), share), max(until - archive.validated, 0)) if len(looked) else n
    try:
        chosen = archive.without(looked).topped_up(spread, max(whole, 1), rng)[:whole]
    except SpaceExhausted:
        looked, whole = looked[:0], n
        chosen = archive.topped_up(spread, n, rng)
    return batch(archive, np.concatenate([chosen, looked]), whole, share)


def batch(archive: Archive, rows: Indices, whole: int, share: float, **expected: Values) -> Batch:
    """Return rows of which the first `whole` are measured in full, the others on a share of the images."""
    shares = np.where(np.arange(len(rows)) < whole, 1.0, share)
    return Batch.of(rows, len(archive.objectives), shares=shares, **expected)


def awaits(archive: Archive, needed: int) -> bool:
    """Tell whether fewer full measurements than needed are known, and some are pending."""
    return archive.awaited > 0 and archive.validated - archive.awaited < needed


def whole_cost(partial_evaluations: int, share: float) -> int:
    """Return how many full validations so many partial evaluations take the place of."""
    return int(np.ceil(partial_evaluations * share - TOLERANCE))


def spread_out(archive: Archive, seed: int) -> Indices:
    """Return architectures spread over the space, the ends first, the others in an order of the seed, (n, d)."""
    rows = networks_for(archive.space, FIRST, np.random.default_rng(seed))
    order = [0, len(rows) - 1, *np.random.default_rng(seed).permutation(np.arange(1, len(rows) - 1))]
    return rows[order]
