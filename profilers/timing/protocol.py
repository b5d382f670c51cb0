"""The timing protocol of one visit, and what the visits of a model add up to.

Written once for all backends and free of any clock: it only asks an executable how long ``loops`` inferences took.
Isolated layers add up to a network only if each is timed hot: so loops are calibrated until one block lasts about
``block_us``, and every visit begins with a warm-up that is thrown away.

Other work on a machine (a neighbour on the same core, above all) comes in spells of milliseconds to seconds that slow
what they hit by half and more, and never make anything faster. So visits are many and short: each model is seen at
many moments, spread over the whole run. Where there is a probe (`probe.py`), it is read before and after every block,
and what counts are the blocks between two clean readings (`clean.py`): visits go on until a model has enough of those,
so a busy machine takes longer and says the same. Without a probe a latency is the lower quartile of all blocks, and
visits go on until two halves of them agree. Which model is visited when is decided in `schedule.py`.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Dict, List, Mapping, Optional, Protocol, Tuple

from .probe import Probe

WARM = 4  # inferences after which the caches hold what they will hold
MAX_LOOPS = 1_000_000  # where calibration gives up on a clock that does not advance


class TimedLoop(Protocol):
    """The one thing the protocol needs of an executable."""

    def elapsed_ns(self, loops: int) -> int:
        """Run ``loops`` inferences and return the nanoseconds taken."""


@dataclass(frozen=True)
class TimingPolicy:
    """How long, how often and until how precise models are timed.

    block_us: how long one block of loops should last.
    warmup_blocks: blocks run and thrown away at the start of every visit; more until four inferences were made, if they
        fit into half of ``visit_us``.
    blocks_per_visit: blocks kept a visit.
    visit_us: how long the kept blocks of one visit may last in all, before there are fewer (but at least one).
    min_passes, max_passes: how many visits a model gets at least and at most.
    clean_blocks: with a probe, a model is visited until it has this many clean blocks; 0 reads no probe.
    relative_target: without a probe, a model is not visited again once two halves of its visits agree within
        this share.
    settle_s: without a probe, passes beyond ``min_passes`` are made only within this much measuring time, compilation
        left out; for models whose halves still disagree by twice the target, within twice this much.
    time_cap_s: no visit begins after this much worker time; except that every model gets its first one.
    keep_mib: compiled models are kept for their next visit until the process has grown by this much; 0 keeps none.
    anchor_every: the anchors are visited again after this many visits.
    repeated: how many models a second process times again (`repetition.py`); 0 for none.
    seed: of the visiting order.
    """

    block_us: float = 1_000.0
    warmup_blocks: int = 2
    blocks_per_visit: int = 3
    visit_us: float = 60_000.0
    min_passes: int = 8
    max_passes: int = 240
    clean_blocks: int = 12
    relative_target: float = 0.015
    settle_s: float = 22.0
    time_cap_s: float = 600.0
    keep_mib: float = 4_096.0
    anchor_every: int = 25
    repeated: int = 24
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("block_us", "visit_us", "relative_target", "settle_s", "time_cap_s"):
            value = getattr(self, name)
            if not (isinstance(value, (int, float)) and 0 < value < math.inf):
                raise ValueError(f"{name} is {value!r}; expected a positive, finite number")
        if not (isinstance(self.keep_mib, (int, float)) and 0 <= self.keep_mib < math.inf):
            raise ValueError(f"keep_mib is {self.keep_mib!r}; expected a finite number, 0 to keep no model")
        lowest = {"warmup_blocks": 0, "blocks_per_visit": 1, "min_passes": 1, "max_passes": 1, "anchor_every": 1}
        lowest.update({"clean_blocks": 0, "repeated": 0})
        for name, low in lowest.items():
            value = getattr(self, name)
            if not isinstance(value, int) or value < low:
                raise ValueError(f"{name} is {value!r}; expected a whole number of at least {low}")
        if not isinstance(self.seed, int) or self.seed < 0:
            raise ValueError(f"seed is {self.seed!r}; expected a whole number of at least 0")
        if self.max_passes < self.min_passes:
            raise ValueError(f"max_passes is {self.max_passes}, less than min_passes, which is {self.min_passes}")

    def to_json(self) -> Dict[str, Any]:
        """Return the fields as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TimingPolicy:
        """Return the policy written by `to_json`; ValueError for a missing, unknown or invalid field."""
        known = {field.name for field in fields(cls)}
        if set(data) != known:
            raise ValueError(f"a timing policy has the fields {sorted(known)}; found {sorted(data)}")
        return cls(**data)


def calibrate_loops(executable: TimedLoop, policy: TimingPolicy) -> int:
    """Return how many loops make one block last about ``policy.block_us``; at least 1.

    Runs the model for about two blocks, or twice if one inference is longer than a block.
    """
    target_ns = policy.block_us * 1e3
    executable.elapsed_ns(1)  # the first inference allocates; it says nothing about the next ones
    loops, elapsed = 1, executable.elapsed_ns(1)
    while elapsed < target_ns / 2 and loops < MAX_LOOPS:
        loops = min(loops * 10, math.ceil(loops * target_ns / max(elapsed, 1)))
        elapsed = executable.elapsed_ns(loops)
    return min(MAX_LOOPS, max(1, round(loops * target_ns / max(elapsed, 1))))


@dataclass(frozen=True)
class ProbedBlocks:
    """The blocks of one visit, in microseconds per inference, and what the probe said.

    probe_us: a reading before each block and one after the last; empty without a probe.
    switches: involuntary context switches from reading to reading; empty where they are not counted.
    """

    block_us: Tuple[float, ...]
    probe_us: Tuple[float, ...] = ()
    switches: Tuple[int, ...] = ()


def take_probed_visit(executable: TimedLoop, policy: TimingPolicy, *, loops: int, probe: Probe) -> ProbedBlocks:
    """Warm up, then time the blocks of this visit, each between two readings of the probe.

    Raises ValueError if a block, or the probe, took no time at all.
    """
    _warm_up(executable, policy, loops)
    spent_ns = 0
    blocks: List[int] = []
    probe_us, counts = [probe.read_us()], [probe.switches()]
    while len(blocks) < policy.blocks_per_visit and (not blocks or spent_ns + blocks[0] <= policy.visit_us * 1e3):
        blocks.append(executable.elapsed_ns(loops))
        probe_us.append(probe.read_us())
        counts.append(probe.switches())
        spent_ns += blocks[-1]
    _require_positive(blocks, loops)
    if min(probe_us) <= 0:
        raise ValueError(f"the probe took {min(probe_us)} us; the clock of this machine is too coarse for it")
    return ProbedBlocks(
        tuple(elapsed / loops / 1e3 for elapsed in blocks),
        tuple(round(us, 3) for us in probe_us),
        _differences(counts),
    )


def _differences(counts: List[Optional[int]]) -> Tuple[int, ...]:
    known = [count for count in counts if count is not None]
    return tuple(after - before for before, after in zip(known, known[1:])) if len(known) == len(counts) else ()


def take_visit(executable: TimedLoop, policy: TimingPolicy, *, loops: int) -> Tuple[float, ...]:
    """Warm up, then return the microseconds per inference of each block of this visit.

    Takes ``policy.blocks_per_visit`` blocks, or as many as fit into ``policy.visit_us``, but at least one. Raises
    ValueError if a block took no time at all.
    """
    _warm_up(executable, policy, loops)
    blocks = [executable.elapsed_ns(loops)]
    fitting = int(policy.visit_us * 1e3 / max(blocks[0], 1))
    blocks += [executable.elapsed_ns(loops) for _ in range(min(policy.blocks_per_visit, fitting) - 1)]
    _require_positive(blocks, loops)
    return tuple(elapsed / loops / 1e3 for elapsed in blocks)


def _warm_up(executable: TimedLoop, policy: TimingPolicy, loops: int) -> None:
    least = policy.warmup_blocks * loops
    inferences = spent_ns = 0
    while inferences < least or (0 < inferences < WARM and spent_ns < policy.visit_us * 500):
        spent_ns += executable.elapsed_ns(loops)
        inferences += loops


def _require_positive(blocks: List[int], loops: int) -> None:
    if min(blocks) <= 0:
        raise ValueError(f"{loops} loops took {min(blocks)} ns; the clock of this machine is too coarse for this model")
