"""How far one process is from the next, read off models that were timed in several of them.

Each process places its memory once, so its visits share what the next process will not have. The clean blocks of a
model in several processes show it, over the noise of the blocks: what all models share, and what each has of its own.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from statistics import median, stdev
from typing import Dict, Hashable, List, Mapping, Optional, Sequence, Tuple, TypeVar

NORMAL = 1.4826  # standard deviations of a normal distribution in a median absolute deviation
OF_MEDIAN = 1.2533  # a median's standard error, in those of a mean
FEWEST_BLOCKS = 3  # clean ones, of which the median is the level of a model in a process
FEWEST = 6  # models that a process must share with another one
ROUNDS = 20  # of taking medians in turn, after which they no longer move

Key = TypeVar("Key", bound=Hashable)
Level = Tuple[float, float]  # log latency, and its standard error


@dataclass(frozen=True)
class ProcessSpread:
    """How the processes of a run differed.

    processes: how many. models: timed in at least two of them. common: standard deviation, from process to process, of
    the log factor that all models share. own: of what a process adds to the log latency of a single model besides.
    per_model: in how many of them a model was timed, on average. factors: those log factors by session; median 0.
    """

    processes: int
    models: int
    common: float
    own: float
    per_model: float
    factors: Mapping[str, float]

    @property
    def sentence(self) -> str:
        """What was found, for a reader."""
        return (
            f"{self.processes} processes differ by {100 * self.common:.1f} % as a whole and by {100 * self.own:.1f} % "
            f"more in single models (standard deviations; {self.models} models)"
        )


def spread_of_processes(clean_us: Mapping[Key, Mapping[str, Sequence[float]]]) -> Optional[ProcessSpread]:
    """Return how far apart processes are, of those that share enough models; None with fewer than two of them.

    clean_us: the clean blocks, in microseconds per inference, by model and session.
    """
    levels = {
        (key, session): _level(blocks)
        for key, found in clean_us.items()
        for session, blocks in found.items()
        if len(blocks) >= FEWEST_BLOCKS
    }
    levels = _shared(levels)
    if not levels:
        return None
    common, rest = factors_of_processes({place: level for place, (level, _) in levels.items()})
    models: Dict[Key, List[Tuple[float, float]]] = {}
    for (key, session), (_, error) in levels.items():
        models.setdefault(key, []).append((rest[key, session], error))
    pairs = [pair for found in models.values() for pair in combinations(found, 2)]  # two processes' worth of variance
    own = NORMAL * median(abs(one - other) for (one, _), (other, _) in pairs) / math.sqrt(2)
    noise = median((error**2 + its_error**2) / 2 for (_, error), (_, its_error) in pairs)
    return ProcessSpread(
        processes=len(common),
        models=len(models),
        common=stdev(common.values()),
        own=math.sqrt(max(own**2 - noise, 0.0)),
        per_model=(len(levels) + len(clean_us) - len(models)) / len(clean_us),
        factors=common,
    )


def factors_of_processes(
    levels: Mapping[Tuple[Key, str], float],
) -> Tuple[Dict[str, float], Dict[Tuple[Key, str], float]]:
    """Split log latencies, by model and process, into what is of the model, of the process, and the rest.

    Returns the processes' log factors, of which the median is 0, and the rest. By medians in turn (Tukey's median
    polish), so that no single model moves the factor of a process.
    """
    factors = {session: 0.0 for _, session in levels}
    rest = dict(levels)
    for _ in range(ROUNDS):
        for position in (0, 1):
            groups: Dict[Hashable, List[float]] = {}
            for place, value in rest.items():
                groups.setdefault(place[position], []).append(value)
            middles = {group: median(values) for group, values in groups.items()}
            rest = {place: value - middles[place[position]] for place, value in rest.items()}
            if position == 1:
                factors = {session: factor + middles[session] for session, factor in factors.items()}
    middle = median(factors.values()) if factors else 0.0
    return {session: factor - middle for session, factor in factors.items()}, rest


def _shared(levels: Mapping[Tuple[Key, str], Level]) -> Dict[Tuple[Key, str], Level]:
    """Keep models of several processes and processes of enough such models; nothing unless two processes are left."""
    kept = dict(levels)
    while True:
        processes, models = Counter(session for _, session in kept), Counter(key for key, _ in kept)
        shared = {
            (key, session): level
            for (key, session), level in kept.items()
            if models[key] > 1 and processes[session] >= FEWEST
        }
        if len(shared) == len(kept):
            return kept
        kept = shared


def _level(blocks: Sequence[float]) -> Level:
    """Return the log of the median of some blocks, and its standard error."""
    middle = median(blocks)
    scatter = NORMAL * median(abs(math.log(us / middle)) for us in blocks)
    return math.log(middle), OF_MEDIAN * scatter / math.sqrt(len(blocks))
