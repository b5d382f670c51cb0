"""Which models a second process times again, and when: it shows what one process cannot see of itself.

A process places its weights, its buffers and its threads once, and all its visits to a model share that. However many
there are, they agree with each other more than with those of the next process, and it is the next one that a user
starts. So when everything is measured, the worker asks for a new process, which times some of the models again.
"""

from __future__ import annotations

from typing import Mapping, Optional, Sequence, Tuple

from .measurement import Measurement
from .protocol import TimingPolicy
from .schedule import Step, pass_order

FEWEST = 6  # models from which a spread is read
MOST_PASSES = 24
LEAST_PASSES = 2
UNPROBED_PASSES = 8
TIME_SHARE, LEAST_S = 0.25, 5.0  # it takes at most that share of what measuring took, or those seconds


def models_to_repeat(
    roles: Mapping[str, str], measured: Mapping[str, Optional[Measurement]], count: int
) -> Tuple[str, ...]:
    """Return the keys of the models to time again: layers and networks, half of each, the fast and the slow alike.

    roles: of every model of the plan, by key; anchors and what failed are left out. Fewer than six show nothing.
    """
    chosen: Tuple[str, ...] = ()
    for role, most in (("network", count // 2), ("layer", count)):
        found = ((measured.get(key), key) for key, its_role in roles.items() if its_role == role)
        ordered = [key for _, key in sorted((taken.value_us, key) for taken, key in found if taken is not None)]
        chosen += evenly(ordered, most - len(chosen) if role == "layer" else most)
    return tuple(sorted(chosen)) if len(chosen) >= FEWEST else ()


def evenly(ordered: Sequence[str], count: int) -> Tuple[str, ...]:
    """Return ``count`` of some keys, or all where there are fewer, spread evenly over their order."""
    if len(ordered) <= count:
        return tuple(ordered)
    return tuple(ordered[round((number + 0.5) * len(ordered) / count - 0.5)] for number in range(count))


def longest_s(measured_s: float) -> float:
    """Return how many seconds a repetition may take after ``measured_s`` seconds of measuring."""
    return max(LEAST_S, TIME_SHARE * measured_s)


def repetition_steps(
    keys: Sequence[str],
    anchors: Sequence[str],
    *,
    number: int,
    policy: TimingPolicy,
    earlier: Mapping[str, Optional[Measurement]],
) -> Tuple[Step, ...]:
    """Return the visits of pass ``number`` of the repetition, in order; none if nothing needs another visit.

    ``earlier`` holds what the passes of the repetition before this one measured, and None for what failed in them.
    """
    if number >= MOST_PASSES:
        return ()
    pending = [key for key in keys if _needs_visit(key, number, policy, earlier)]
    return pass_order(pending, anchors, pass_index=policy.max_passes + number, policy=policy) if pending else ()


def _needs_visit(key: str, number: int, policy: TimingPolicy, earlier: Mapping[str, Optional[Measurement]]) -> bool:
    if key not in earlier:
        return True
    measurement = earlier[key]
    if measurement is None:
        return False
    if measurement.contention is None:
        return number < UNPROBED_PASSES
    return number < LEAST_PASSES or measurement.contention.clean_blocks < policy.clean_blocks
