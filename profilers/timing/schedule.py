"""Which model is visited when: a pure function of the plan, the policy and what was visited before.

There are several passes. In each, every model that still needs visits gets one, in an order shuffled anew, so that
slow minutes of the machine are spread over all models instead of falling on a few. The anchors are visited at both
ends of a pass and regularly in between; they show how the machine's speed moved. Because a pass depends only on the
passes before it, an interrupted run continues in the very order it would have taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping, Optional, Sequence, Tuple

from .measurement import Measurement
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
    shuffled = _shuffled(pending, policy.seed, pass_index)
    order = list(anchors)
    for start in range(0, len(shuffled), policy.anchor_every):
        order += shuffled[start : start + policy.anchor_every]
        order += anchors
    return tuple(Step(key, pass_index, slot) for slot, key in enumerate(order))


def _needs_visit(key: str, pass_index: int, policy: TimingPolicy, earlier: Mapping[str, Optional[Measurement]]) -> bool:
    if key not in earlier:
        return True
    measurement = earlier[key]
    if measurement is None:
        return False
    return pass_index < policy.min_passes or measurement.relative_disagreement > policy.relative_target


def _shuffled(keys: Sequence[str], seed: int, pass_index: int) -> Sequence[str]:
    import numpy as np

    order = np.random.default_rng([seed, pass_index]).permutation(len(keys))
    return [keys[index] for index in order]
