"""Which model is visited when: a pure function of the plan, the policy and what was visited before.

There are several passes. In each, every model that still needs visits gets one, in an order shuffled anew, so that
slow minutes of the machine are spread over all models instead of falling on a few. Where a probe tells clean blocks
from others, the passes beyond the least number begin with whoever has fewest clean ones. Whole networks, which all
predictions are fitted to and verified by, are visited several times a pass. The anchors are visited at
both ends of a pass and regularly in between; they show how the machine's speed moved. Because a pass depends only on
the passes before it, an interrupted run continues in the very order it would have taken.

The passes are shared among several processes that take turns (`Turn`). A process places its weights, its buffers and
its threads once, and all its visits to a model share that: however many there are, they agree with each other more
than with those of the next process, and it is a next one that a user starts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Callable, Dict, FrozenSet, Iterable, Mapping, Optional, Sequence, Tuple

from .measurement import ENOUGH_CLEAN, Measurement
from .protocol import TimingPolicy


@dataclass(frozen=True)
class Step:
    """One visit to make: of the model ``key``, as number ``slot`` of pass number ``pass_index``."""

    key: str
    pass_index: int
    slot: int


@dataclass(frozen=True)
class Turn:
    """The part of a run that one process makes; the only one of a run where nothing else is said.

    number: of the process, from 0. first_pass: of its passes. is_last: whether it makes what no other process will.
    is_probed: whether clean blocks are told from others. If so, each process looks at its own visits; else at all.
    """

    number: int = 0
    first_pass: int = 0
    is_last: bool = True
    is_probed: bool = True

    @property
    def since(self) -> int:
        """The first pass that counts."""
        return self.first_pass if self.is_probed else 0

    def passes(self, policy: TimingPolicy) -> int:
        """Return how many passes are made of all that is not there yet."""
        return _part(policy.min_passes, self._end(policy) - self.number, policy)

    def least_visits(self, policy: TimingPolicy) -> int:
        """Return how many of the visits that count a model gets, whatever was measured."""
        return _part(policy.min_passes, self._counted(policy), policy)

    def clean_blocks(self, policy: TimingPolicy) -> int:
        """Return how many clean blocks end the visits to a model whose visits have all blocks."""
        return _part(policy.clean_blocks, self._counted(policy), policy)

    def until_s(self, policy: TimingPolicy, began_s: float) -> float:
        """Return after how many seconds of the run it makes no further visit, if its turn began after ``began_s``."""
        return began_s + (policy.time_cap_s - began_s) / (1 if self.is_last else policy.processes - self.number)

    def _counted(self, policy: TimingPolicy) -> int:
        """Return of how many processes, this one included, the visits count."""
        return self._end(policy) - (self.number if self.is_probed else 0)

    def _end(self, policy: TimingPolicy) -> int:
        return policy.processes if self.is_last else self.number + 1


def _part(total: int, processes: int, policy: TimingPolicy) -> int:
    """Return what some of the processes make of a total, rounded up."""
    return -(-total * processes // policy.processes)


ALL = Turn()
REVIEW_PARTS = 24


@dataclass(frozen=True)
class Models:
    """What is visited: the keys of layers, of whole networks, and of anchors."""

    layers: Sequence[str]
    networks: Sequence[str] = ()
    anchors: Sequence[str] = ()

    def visits_a_pass(self, key: str, policy: TimingPolicy, turn: Turn) -> int:
        """Return how often a pass visits a model, and how many times as many clean blocks it is to have.

        Once where no probe tells those, for then every process is to make some of the visits.
        """
        return policy.network_visits if turn.is_probed and key in self._known_networks else 1

    @property
    def timed(self) -> Tuple[str, ...]:
        """All but the anchors."""
        return (*self.layers, *self.networks)

    @cached_property
    def _known_networks(self) -> FrozenSet[str]:
        return frozenset(self.networks)


def pass_steps(
    models: Models,
    *,
    pass_index: int,
    policy: TimingPolicy,
    earlier: Mapping[str, Optional[Measurement]],
    turn: Turn = ALL,
) -> Tuple[Step, ...]:
    """Return the visits of one pass, in order; none if nothing needs another visit in this turn.

    ``earlier`` holds what the passes before this one measured, from `Turn.since` on, and None for a model that failed
    in one of them; whatever failed, anchors included, is not visited again.
    """
    if pass_index >= turn.first_pass + policy.max_passes:
        return ()
    pending = sorted(key for key in models.timed if _needs_visit(key, models, policy, earlier, turn))
    anchors = [key for key in models.anchors if earlier.get(key, 0) is not None]
    if not pending:
        return ()
    visits = [key for key in pending for _ in range(models.visits_a_pass(key, policy, turn))]
    first = None
    if pass_index - turn.first_pass >= turn.passes(policy):
        first = lambda key: _clean_blocks(earlier.get(key)) / models.visits_a_pass(key, policy, turn)  # noqa: E731
    return pass_order(visits, anchors, pass_index=pass_index, policy=policy, first=first)


def pass_order(
    pending: Sequence[str],
    anchors: Sequence[str],
    *,
    pass_index: int,
    policy: TimingPolicy,
    first: Optional[Callable[[str], float]] = None,
) -> Tuple[Step, ...]:
    """Return a visit to each of the ``pending`` models, shuffled, with visits to the anchors at both ends and between.

    Where ``first`` is given, models of which it returns less come first.
    """
    shuffled = _shuffled(pending, policy.seed, pass_index)
    if first is not None:
        shuffled = sorted(shuffled, key=first)
    order = list(anchors)
    for start in range(0, len(shuffled), policy.anchor_every):
        order += shuffled[start : start + policy.anchor_every]
        order += anchors
    return tuple(Step(key, pass_index, slot) for slot, key in enumerate(order))


def is_reviewed(visits: int, seen: int) -> bool:
    """Tell whether a pass looks at all measurements anew, after ``visits`` of which the last look saw ``seen``.

    A look costs as much as was measured so far, and a visit some hundred times what a look spends on one. So a look
    follows when the visits have grown by a part: a model gets that many more visits than it needed, at most.
    """
    return (visits - seen) * REVIEW_PARTS >= visits


def expected_visits(
    models: Models,
    *,
    pass_index: int,
    policy: TimingPolicy,
    earlier: Mapping[str, Optional[Measurement]],
    turn: Turn = ALL,
) -> Dict[str, int]:
    """Estimate how many visits each model gets after a pass: of the least passes, or until it is clean often enough.

    A model is taken to find clean blocks at the rate that it had so far, and further processes to need as many visits
    as this one.
    """
    alive = [key for key in models.timed if earlier.get(key, 0) is not None]
    found = {key: measurement for key in alive for measurement in [earlier.get(key)] if measurement is not None}
    visits = sum(measurement.visits for measurement in found.values())
    usual = sum(map(_clean_blocks, found.values())) / visits if visits else 0.0
    passes = turn.first_pass + policy.max_passes - pass_index - 1
    least = max(0, turn.passes(policy) - (pass_index - turn.first_pass) - 1)
    further = 0 if turn.is_last else policy.processes - turn.number - 1
    expected = {}
    own_passes = 0
    for key in alive:
        a_pass = models.visits_a_pass(key, policy, turn)
        own, measurement = least * a_pass, found.get(key)
        if usual and measurement is not None:
            clean = _clean_blocks(measurement)
            rate = (clean + usual) / (measurement.visits + 1)  # one visit as others have it: a rate is never nothing
            lacking = max(0, _needed(key, measurement, models, policy, turn) - clean)
            own = max(own, min(passes * a_pass, math.ceil(lacking / rate) - a_pass))
        own_passes = max(own_passes, -(-own // a_pass))
        made = measurement.visits if measurement is not None and turn.is_probed else a_pass * turn.passes(policy)
        expected[key] = own + further * max(a_pass, made + own)
    anchored = own_passes + max(own_passes, sum(expected.values()) // policy.anchor_every)
    expected.update({key: anchored for key in models.anchors if earlier.get(key, 0) is not None})
    return expected


def _needs_visit(
    key: str,
    models: Models,
    policy: TimingPolicy,
    earlier: Mapping[str, Optional[Measurement]],
    turn: Turn,
) -> bool:
    if key not in earlier:
        return True
    measurement = earlier[key]
    if measurement is None:
        return False
    if measurement.visits < turn.least_visits(policy):
        return True
    if measurement.contention is not None:
        return _clean_blocks(measurement) < _needed(key, measurement, models, policy, turn)
    return turn.is_last and measurement.relative_disagreement > policy.relative_target


def _needed(key: str, measurement: Measurement, models: Models, policy: TimingPolicy, turn: Turn) -> int:
    """Return how many clean blocks a model is to have: in proportion to the blocks that a visit to it has."""
    blocks = max(map(len, measurement.block_us))
    return -(-turn.clean_blocks(policy) * models.visits_a_pass(key, policy, turn) * blocks // policy.blocks_per_visit)


def is_never_clean(policy: TimingPolicy, measurements: Iterable[Optional[Measurement]]) -> bool:
    """Tell whether the probe finds so few clean blocks that waiting for more is no use.

    So where the most that a model may be visited would not give it enough of them.
    """
    marks = [found.contention for found in measurements if found is not None and found.contention is not None]
    blocks = sum(len(visit) for mark in marks for visit in mark.clean)
    visits = sum(len(mark.clean) for mark in marks)
    expected = policy.max_passes * sum(mark.clean_blocks for mark in marks) / max(visits, 1)
    return blocks > 0 and expected < ENOUGH_CLEAN


def _clean_blocks(measurement: Optional[Measurement]) -> int:
    marks = None if measurement is None else measurement.contention
    return 0 if marks is None else marks.clean_blocks


def _shuffled(keys: Sequence[str], seed: int, pass_index: int) -> Sequence[str]:
    import numpy as np

    order = np.random.default_rng([seed, pass_index]).permutation(len(keys))
    return [keys[index] for index in order]
