"""How far one process is from the next, read off models that were timed in two of them.

Each process places its memory once, so its visits share what the next process will not have. The ratio of a model's
clean blocks in two processes shows it, over the noise of the blocks: what all models share, and what each has of its
own.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import Dict, Hashable, List, Mapping, Optional, Sequence, Tuple, TypeVar

from ..timing.measurement import ENOUGH_CLEAN

NORMAL = 1.4826  # standard deviations of a normal distribution in a median absolute deviation
OF_MEDIAN = 1.2533  # a median's standard error, in those of a mean
FEWEST = 6  # models that two processes must share

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class ProcessSpread:
    """How a second process differed from the first.

    models: timed in both. common: log of the second's latencies over the first's, the median. own: standard deviation
    of what one process adds to the log latency of a single model, apart from what is common.
    """

    models: int
    common: float
    own: float

    @property
    def sentence(self) -> str:
        """What was found, for a reader."""
        return (
            f"a second one took x{math.exp(self.common):.3f} as long, in the middle of {self.models} models; single "
            f"models differ by {100 * self.own:.1f} % from process to process"
        )


def spread_of_processes(clean_us: Mapping[Key, Mapping[str, Sequence[float]]]) -> Optional[ProcessSpread]:
    """Return how far apart the two processes are that share most models; None where none share enough of them.

    clean_us: the clean blocks, in microseconds per inference, by model and session.
    """
    known: Dict[Key, Dict[str, Tuple[float, float]]] = {
        key: {session: _level(blocks) for session, blocks in found.items() if len(blocks) >= ENOUGH_CLEAN}
        for key, found in clean_us.items()
    }
    pairs = Counter(pair for levels in known.values() for pair in combinations(levels, 2))
    if not pairs or max(pairs.values()) < FEWEST:
        return None
    (first, second), models = min(pairs.items(), key=lambda item: (-item[1], item[0]))
    ratios: List[float] = []
    variances: List[float] = []
    for levels in known.values():
        if first in levels and second in levels:
            (before, error_before), (after, error_after) = levels[first], levels[second]
            ratios.append(math.log(after / before))
            variances.append(error_before**2 + error_after**2)
    common = median(ratios)
    scatter = NORMAL * median(abs(ratio - common) for ratio in ratios)
    return ProcessSpread(models, common, math.sqrt(max(scatter**2 - median(variances), 0.0) / 2))


def _level(blocks: Sequence[float]) -> Tuple[float, float]:
    """Return the median of some blocks and the standard error of its logarithm."""
    middle = median(blocks)
    scatter = NORMAL * median(abs(math.log(us / middle)) for us in blocks)
    return middle, OF_MEDIAN * scatter / math.sqrt(len(blocks))
