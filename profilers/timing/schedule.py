"""Which model is visited when: a pure function of the plan, the policy and what was visited before.

There are several passes. In each, every model that still needs visits gets one, in an order shuffled anew, so that
slow minutes of the machine are spread over all models instead of falling on a few. Where a probe tells clean blocks
from others, the passes beyond the least number begin with whoever has fewest clean ones. The anchors are visited at
both ends of a pass and regularly in between; they show how the machine's speed moved. Because a pass depends only on
the passes before it, an interrupted run continues in the very order it would have taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Iterable, Mapping, Optional, Sequence, Tuple

from .measurement import ENOUGH_CLEAN, Measurement
from .protocol import TimingPolicy


@dataclass(frozen=True)
class Step:
    """One visit to make: of the model ``key``, as number ``slot`` of pass number ``pass_index``."""

    key: str
    pass_index: int
    slot: int


def pass_steps(
    keys: Sequence[str],
    anchors: Sequence[str],
    *,
    pass_index: int,
    policy: TimingPolicy,
    earlier: Mapping[str, Optional[Measurement]],
) -> Tuple[Step, ...]:
    """Return the visits of one pass, in order; none if nothing needs another visit.

    ``earlier`` holds what the passes before this one measured, and None for a model that failed in one of them;
    whatever failed, anchors included, is not visited again.
    """
    if pass_index >= policy.max_passes:
        return ()
    pending = sorted(key for key in keys if _needs_visit(key, pass_index, policy, earlier))
    anchors = [key for key in anchors if earlier.get(key, 0) is not None]
    if not pending:
        return ()
    first = None if pass_index < policy.min_passes else (lambda key: _clean_blocks(earlier.get(key)))
    return pass_order(pending, anchors, pass_index=pass_index, policy=policy, first=first)


def pass_order(
    pending: Sequence[str],
    anchors: Sequence[str],
    *,
    pass_index: int,
    policy: TimingPolicy,
    first: Optional[Callable[[str], int]] = None,
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


def is_reviewed(pass_index: int) -> bool:
    """Tell whether a pass looks at all measurements anew; between such passes the later ones follow the last look.

    Looking costs as much as was measured so far. So every pass does at first, then one in two, four, ...: a model gets
    an eighth more visits than it needed, at most.
    """
    return pass_index % (1 << max(0, pass_index.bit_length() - 4)) == 0


def expected_visits(
    keys: Sequence[str], *, pass_index: int, policy: TimingPolicy, earlier: Mapping[str, Optional[Measurement]]
) -> int:
    """Estimate how many visits will follow a pass: what the least passes take, or what the missing clean blocks do."""
    alive = [key for key in keys if earlier.get(key, 0) is not None]
    least = max(0, policy.min_passes - pass_index - 1) * len(alive)
    found = [measurement for measurement in (earlier.get(key) for key in alive) if measurement is not None]
    visits = sum(measurement.visits for measurement in found)
    per_visit = sum(map(_clean_blocks, found)) / visits if visits else 0.0
    if not per_visit:
        return least
    lacking = [max(0, policy.clean_blocks - _clean_blocks(measurement)) for measurement in found]
    most = (policy.max_passes - pass_index - 1) * sum(map(bool, lacking))
    return max(least, min(most, round(sum(lacking) / per_visit) - sum(map(bool, lacking))))


def _needs_visit(key: str, pass_index: int, policy: TimingPolicy, earlier: Mapping[str, Optional[Measurement]]) -> bool:
    if key not in earlier:
        return True
    measurement = earlier[key]
    if measurement is None:
        return False
    if pass_index < policy.min_passes:
        return True
    if measurement.contention is not None:
        return _clean_blocks(measurement) < policy.clean_blocks
    return measurement.relative_disagreement > policy.relative_target


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
