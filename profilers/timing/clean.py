"""Which blocks were taken while nobody shared the core: between two probe readings at the clean level.

The clean level is what the probe reads when the core is ours. In every second of measuring it is the lowest level at
which several readings agree; over the seconds, a rise counts as another level (a lower clock, drift) only where it
lasts for `SUSTAINED_S`, because a neighbour who comes and goes leaves gaps. That is a morphological opening: it takes
out what sticks up for a shorter time, and leaves a step exactly where it is. A neighbour who never leaves for that long
cannot be told from a slower machine, by this or by anything else that looks from inside.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Sequence, Tuple, Union

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

TOLERANCE = 0.12  # a reading this close to the clean level is clean
SUSTAINED_S = 30.0  # how long readings must stay above a level before they are a level of their own
BIN_S = 1.0  # over which a level is looked for
LEAST_READINGS, LEAST_SHARE = 3, 0.05  # that must agree, of those in a bin, to be a level


def low_level(readings_us: Union[Sequence[float], Array]) -> float:
    """Return the lowest level at which several readings agree; not-a-number for none, their least if none agree."""
    import numpy as np

    ordered = np.sort(np.asarray(readings_us, dtype=np.float64))
    if not len(ordered):
        return math.nan
    least = max(LEAST_READINGS, math.ceil(LEAST_SHARE * len(ordered)))
    ends = np.searchsorted(ordered, ordered * (1 + TOLERANCE), side="right")
    agreeing = np.flatnonzero(ends - np.arange(len(ordered)) >= least)
    if not len(agreeing):
        return float(ordered[0])
    first = int(agreeing[0])
    return float(np.median(ordered[first : ends[first]]))


def clean_levels(times_s: Sequence[float], readings_us: Sequence[float]) -> Array:
    """Return the clean level at each reading of one session, (n,), in microseconds.

    times_s: when each reading was taken, in any order.
    """
    import numpy as np

    if not len(times_s):
        return np.empty(0)
    bins, place = np.unique(np.floor(np.asarray(times_s) / BIN_S), return_inverse=True)
    values = np.asarray(readings_us, dtype=np.float64)
    order = np.argsort(place, kind="stable")
    parts = np.split(values[order], np.cumsum(np.bincount(place))[:-1])
    lows = np.array([low_level(part) if len(part) >= LEAST_READINGS else math.inf for part in parts])
    if not np.isfinite(lows).any():
        lows = np.full(len(bins), low_level(values))
    lows[~np.isfinite(lows)] = lows[np.isfinite(lows)].max()
    levels: Array = _opened(lows, max(1, round(SUSTAINED_S / BIN_S)))[place]
    return levels


def _opened(lows: Array, width: int) -> Array:
    """Return, at each place, the greatest level that ``width`` neighbours around it do not fall below, (bins,).

    Places are seconds in which something was measured, so a machine that slept in between lost none.
    """
    import numpy as np

    width = min(width, len(lows))
    opened = np.full(len(lows), -np.inf)
    for start in range(len(lows) - width + 1):
        part = slice(start, start + width)
        opened[part] = np.maximum(opened[part], lows[part].min())
    return opened


def is_clean(slowness: float) -> bool:
    """Tell whether a reading of ``slowness`` times the clean level is clean."""
    return abs(slowness - 1) <= TOLERANCE


def block_marks(slowness: Sequence[float], switches: Sequence[int], blocks: int) -> Tuple[bool, ...]:
    """Tell of each block whether it is clean.

    slowness: readings as multiples of the clean level, one more than blocks. switches: involuntary context switches in
    each block; empty where they are not counted.
    """
    clean = [is_clean(value) for value in slowness]
    quiet = [count == 0 for count in switches] or [True] * blocks
    return tuple(clean[b] and clean[b + 1] and quiet[b] for b in range(blocks))


def spells_of(times: Sequence[float], slowness: Sequence[float]) -> List[float]:
    """Return how long each unbroken row of readings that are not clean lasted, until the reading after it.

    times: when each reading was taken, in order. A row that nothing follows is left out.
    """
    spells: List[float] = []
    begun: Optional[float] = None
    for t, slow in zip(times, slowness):
        if begun is not None and is_clean(slow):
            spells.append(t - begun)
            begun = None
        if begun is None and not is_clean(slow):
            begun = t
    return spells


def typical_spell(spells: Sequence[float]) -> float:
    """Return the length that half of the shared time lies in spells of at least; 0 without spells.

    Not their median: single readings that an interrupt hit outnumber the spells, and are no time to speak of.
    """
    ordered = sorted(spells, reverse=True)
    left = sum(ordered) / 2
    for spell in ordered:
        left -= spell
        if left <= 0:
            return spell
    return 0.0


def levels_by_session(sessions: Sequence[str], times_s: Sequence[float], readings_us: Sequence[float]) -> Array:
    """Return the clean level at each reading, (n,), each session for itself: the machine may have changed between."""
    import numpy as np

    positions: Dict[str, List[int]] = {}
    for position, session in enumerate(sessions):
        positions.setdefault(session, []).append(position)
    levels = np.empty(len(sessions))
    for found in positions.values():
        levels[found] = clean_levels([times_s[p] for p in found], [readings_us[p] for p in found])
    return levels
