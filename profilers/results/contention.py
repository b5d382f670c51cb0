"""From raw probe readings to what they say of each block, and of the machine: made anew whenever they are read."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import mean, median
from typing import Dict, Hashable, List, Mapping, Optional, Protocol, Sequence, Tuple, TypeVar

from ..timing.chain import fit_chain
from ..timing.clean import TOLERANCE, block_marks, is_clean, levels_by_session, spells_of, typical_spell
from ..timing.measurement import Contention, Measurement, quantile

Key = TypeVar("Key", bound=Hashable)

OWN_BLOCKS = 3  # clean ones, and spoilt ones, from which a model's own beta is read
MODELS = 5  # whose own betas say what is common
LARGEST_BETA = 1.5  # more is noise
POOLED_BLOCKS = 200  # from which the peak of all clean blocks is known well enough


class ProbedVisit(Protocol):
    """A visit with the probe's readings around its blocks, if there are any."""

    @property
    def session(self) -> str:
        """The session of the visit."""

    @property
    def t_s(self) -> float:
        """When it ended, in seconds into the session."""

    @property
    def loops(self) -> int:
        """Inferences a block."""

    @property
    def block_us(self) -> Tuple[float, ...]:
        """Microseconds per inference of each block."""

    @property
    def probe_us(self) -> Tuple[float, ...]:
        """The probe's readings: one more than blocks, or none."""

    @property
    def switches(self) -> Tuple[int, ...]:
        """Involuntary context switches in each block, or none where they were not counted."""


@dataclass(frozen=True)
class Probed:
    """What the probe said of one visit: of each reading, as a multiple of the clean level, and of each block.

    clean: whether both readings around a block were clean, and nothing interrupted it. undisturbed: how likely it is
    then that nobody came and went in between. slowness: how many times slower than ours the core is expected to have
    been during the block. clock: how many times slower it was by what was read around it alone; 1 where it is another
    processor that computes. switches: how often something took the core away during it; empty where not counted.
    """

    readings: Tuple[float, ...]
    clean: Tuple[bool, ...]
    undisturbed: Tuple[float, ...]
    slowness: Tuple[float, ...]
    clock: Tuple[float, ...]
    switches: Tuple[int, ...] = ()


def probed_visits(visits: Sequence[ProbedVisit], *, has_clock: bool = True) -> List[Optional[Probed]]:
    """Return what the probe said of each visit, by the clean level of its moment; None for those without a probe.

    has_clock: whether the core that the probe reads is the one that computes: not so on a GPU.
    """
    readings = [(visit.session, visit.t_s, us) for visit in visits for us in visit.probe_us]
    if not readings:
        return [None] * len(visits)
    sessions, times_s, values_us = zip(*readings)
    levels = levels_by_session(sessions, times_s, values_us)
    relative = iter([us / level for us, level in zip(values_us, levels.tolist())])
    slowness = [tuple(next(relative) for _ in visit.probe_us) for visit in visits]
    likely = iter(_between(visits, slowness))
    found: List[Optional[Probed]] = []
    for visit, around in zip(visits, slowness):
        if not around:
            found.append(None)
            continue
        of_blocks = [next(likely) for _ in visit.block_us]
        clean = block_marks(around, visit.switches, len(visit.block_us))
        likely_clean, slow = zip(*of_blocks)
        clock = tuple(math.sqrt(before * after) if has_clock else 1.0 for before, after in zip(around, around[1:]))
        found.append(Probed(around, clean, likely_clean, slow, clock, tuple(visit.switches)))
    return found


def _between(visits: Sequence[ProbedVisit], slowness: Sequence[Tuple[float, ...]]) -> List[Tuple[float, float]]:
    """Return, of every block with readings around it, how likely it was undisturbed if both are clean, and how slow."""
    import numpy as np

    pairs = [
        (before, after, us * visit.loops)
        for visit, around in zip(visits, slowness)
        for before, after, us in zip(around, around[1:], visit.block_us)
    ]
    first, second, block_us = np.array(pairs, dtype=np.float64).reshape(-1, 3).T
    every = np.concatenate([first, second])
    is_shared = np.abs(every - 1) > TOLERANCE
    before, after = np.split(is_shared, 2)
    chain = fit_chain(before, after, block_us)
    if chain is None:
        return list(zip([1.0] * len(pairs), np.sqrt(first * second).tolist()))
    usual = float(np.median(every[is_shared]))
    shared = np.select([before & after, before, after], [np.sqrt(first * second), first, second], usual)
    slow = 1 + (shared - 1) * chain.shared_within(before, after, block_us)
    return list(zip(chain.undisturbed(block_us).tolist(), slow.tolist()))


def measurement_of(
    block_us: Sequence[Tuple[float, ...]],
    loops: int,
    probed: Sequence[Optional[Probed]],
    sessions: Sequence[str] = (),
) -> Measurement:
    """Return the measurement of some visits, made in ``sessions`` where that is known.

    Visits without a probe are left out where others have one.
    """
    number = {name: place for place, name in enumerate(dict.fromkeys(sessions))}
    processes = tuple(number[name] for name in sessions)
    places = [place for place, marks in enumerate(probed) if marks is not None]
    kept = [marks for marks in probed if marks is not None]
    if not kept:
        return Measurement(tuple(block_us), loops, processes=processes)
    likely = [u for marks in kept for u, clean in zip(marks.undisturbed, marks.clean) if clean]
    contention = Contention(
        tuple(marks.clean for marks in kept),
        tuple(marks.slowness for marks in kept),
        undisturbed=mean(likely) if likely else 1.0,
        clock=tuple(marks.clock for marks in kept),
        switches=tuple(marks.switches for marks in kept) if all(marks.switches for marks in kept) else (),
    )
    blocks = tuple(block_us[place] for place in places)
    return Measurement(blocks, loops, contention, tuple(processes[place] for place in places) if processes else ())


def informed_by_all(measurements: Mapping[Key, Measurement]) -> Dict[Key, Measurement]:
    """Give each measurement what all of them show together.

    That is how much of the probe's slowness reaches models, read off those seen in both states, and how many of the
    clean blocks were slowed all the same, by what a probe that fits the first cache cannot see.
    """
    betas = sorted(beta for beta in (own_beta(found) for found in measurements.values()) if beta is not None)
    own = share_not_slowed([m for m in measurements.values() if m.is_undisturbed])

    def informed(contention: Contention) -> Contention:
        contention = replace(contention, undisturbed=own * contention.undisturbed)
        if len(betas) < MODELS:
            return contention
        return replace(contention, beta=median(betas), beta_spread=quantile(betas, 0.75) - quantile(betas, 0.25))

    return {
        key: found if found.contention is None else replace(found, contention=informed(found.contention))
        for key, found in measurements.items()
    }


def share_not_slowed(measurements: Sequence[Measurement]) -> float:
    """Return the share of the clean blocks of several models that belong to the peak; the rest was slowed.

    Times scatter alike to both sides of their peak, and what a neighbour does to caches and memory adds a tail on one
    side. The peak is the middle of the shortest interval that holds half of all blocks (Rousseeuw and Leroy's
    "shorth"), each block in units of its model's latency; as many as lie below it, belong above it.
    """
    import numpy as np

    blocks = [np.array([us for visit in found.used_us for us in visit]) for found in measurements]
    if len(blocks) < MODELS or sum(map(len, blocks)) < POOLED_BLOCKS:
        return 1.0
    share = 1.0
    for _ in range(2):  # units are better known the second time
        pooled = np.sort(np.concatenate([us / np.quantile(us, 0.5 * share) for us in blocks]))
        half = len(pooled) // 2
        first = int(np.argmin(pooled[half:] - pooled[: len(pooled) - half]))
        share = min(1.0, 2 * (first / len(pooled) + 0.25))
    return share


def own_beta(measurement: Measurement) -> Optional[float]:
    """Return how much of the probe's slowness reaches this model; None where it was not seen often in both states."""
    marks = measurement.contention
    if marks is None or not measurement.is_undisturbed:
        return None
    value_us, ratios = measurement.value_us, []
    for blocks, slowness, losses in zip(measurement.block_us, marks.slowness, marks.losses):
        ratios += [
            math.log(us / value_us) / math.log(s)
            for us, s, count in zip(blocks, slowness, losses)
            if s > 1 + TOLERANCE and not count  # a block that lost the core says how long for
        ]
    return None if len(ratios) < OWN_BLOCKS else min(max(median(ratios), 0.0), LARGEST_BETA)


@dataclass(frozen=True)
class ContentionSummary:
    """How busy the core was while a run measured.

    time_share: the share of the probe's readings that were not clean.
    slow_down: how many times slower the probe was in those, in the middle.
    spell_ms: half of that time lies in spells of at least this length; as finely as blocks are long.
    """

    time_share: float
    slow_down: float
    spell_ms: float


def summary_of_contention(
    visits: Sequence[ProbedVisit], probed: Sequence[Optional[Probed]]
) -> Optional[ContentionSummary]:
    """Return how busy the core was, by what `probed_visits` found of the visits; None without a probe."""
    series: Dict[str, List[Tuple[float, float]]] = {}
    for visit, marks in zip(visits, probed):
        if marks is None:
            continue
        left_us = sum(visit.block_us) * visit.loops
        for number, slowness in enumerate(marks.readings):
            series.setdefault(visit.session, []).append((visit.t_s - left_us / 1e6, slowness))
            left_us -= visit.block_us[number] * visit.loops if number < len(visit.block_us) else 0.0
    if not series:
        return None
    readings = [slowness for taken in series.values() for _, slowness in taken]
    slow = [slowness for slowness in readings if not is_clean(slowness)]
    spells_s = [spell for taken in series.values() for spell in spells_of(*zip(*sorted(taken)))]
    return ContentionSummary(
        time_share=len(slow) / len(readings),
        slow_down=median(slow) if slow else 1.0,
        spell_ms=1e3 * typical_spell(spells_s),
    )
