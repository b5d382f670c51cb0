"""The timing protocol of one visit, and what the visits of a model add up to.

Written once for all backends and free of any clock: it only asks an executable how long ``loops`` inferences took.
Isolated layers add up to a network only if each is timed hot: so loops are calibrated until one block lasts about
``block_us``, and every visit begins with a warm-up that is thrown away. Blocks are short, because a block is spoilt by
whoever takes the core for a part of it, and on a busy machine gaps are short.

Other work on a machine (a neighbour on the same core, above all) comes in spells of milliseconds to seconds that slow
what they hit by half and more, and never make anything faster. So visits are many and short: each model is seen at
many moments, spread over the whole run. Where there is a probe (`probe.py`), it is read before and after every block,
and what counts are the blocks between two clean readings (`clean.py`): visits go on until a model has enough of those,
so a busy machine takes longer and says the same. The probe leaves its own data and code in the caches, so one
inference runs unrecorded between it and a block. Without a probe a latency is the lower quartile of all blocks, and
visits go on until two halves of them agree. A process places a model in memory once, and all its visits share that; so
several processes take turns, each with its share of the visits. Which model is visited when is decided in
`schedule.py`.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Dict, List, Mapping, Optional, Protocol, Tuple

from .probe import Probe

WARM = 4  # inferences after which the caches hold what they will hold
LEAST_WARM = 2
LEAST_BLOCKS = 3  # of a visit to a slow model
CALIBRATION = 3  # times the warm-up of a visit, once a model
MAX_LOOPS = 1_000_000  # where calibration gives up on a clock that does not advance


class TimedLoop(Protocol):
    """The one thing the protocol needs of an executable."""

    def elapsed_ns(self, loops: int) -> int:
        """Run ``loops`` inferences and return the nanoseconds taken."""


@dataclass(frozen=True)
class TimingPolicy:
    """How long, how often and until how precise models are timed.

    block_us: how long one block of loops should last.
    warmup_us: how long a model runs, unrecorded, at the start of every visit: two inferences at least, and four if they
        fit into half of ``visit_us``.
    settling_us: with a probe, an inference that takes no longer than this runs unrecorded before each block; of longer
        models that would cost more clean blocks than it makes better ones. 0: never.
    blocks_per_visit: blocks kept a visit; of a model that takes longer than a block for an inference fewer, but three.
    visit_us: how long the kept blocks of one visit may last in all, before there are fewer still (but at least one).
    min_passes: how many visits a model gets at least.
    max_passes: how many it gets at most, of one process.
    clean_blocks: with a probe, a model is visited until it has this many clean blocks, or fewer in proportion where its
        visits have fewer blocks; 0 reads no probe.
    network_visits: how often a pass visits a whole network, and how many times as many clean blocks that is to have.
    relative_target: without a probe, a model is not visited again once two halves of its visits agree within
        this share.
    settle_s: without a probe, passes beyond ``min_passes`` are made only within this much measuring time, compilation
        left out; for models whose halves still disagree by twice the target, within twice this much.
    time_cap_s: no visit begins after this much worker time; except that every model gets its first one.
    keep_mib: compiled models are kept for their next visit until the process has grown by this much; 0 keeps none.
    anchor_every: the anchors are visited again after this many visits.
    processes: over how many processes, one after the other, the visits to a model are spread (`schedule.py`).
    seed: of the visiting order.
    """

    block_us: float = 250.0
    warmup_us: float = 2_000.0
    settling_us: float = 250.0
    blocks_per_visit: int = 8
    visit_us: float = 60_000.0
    min_passes: int = 8
    max_passes: int = 240
    clean_blocks: int = 32
    network_visits: int = 3
    relative_target: float = 0.015
    settle_s: float = 22.0
    time_cap_s: float = 600.0
    keep_mib: float = 4_096.0
    anchor_every: int = 25
    processes: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("block_us", "warmup_us", "visit_us", "relative_target", "settle_s", "time_cap_s"):
            value = getattr(self, name)
            if not (isinstance(value, (int, float)) and 0 < value < math.inf):
                raise ValueError(f"{name} is {value!r}; expected a positive, finite number")
        for name, none in (("keep_mib", "to keep no model"), ("settling_us", "for no inference before a block")):
            value = getattr(self, name)
            if not (isinstance(value, (int, float)) and 0 <= value < math.inf):
                raise ValueError(f"{name} is {value!r}; expected a finite number, 0 {none}")
        lowest = {"blocks_per_visit": 1, "min_passes": 1, "max_passes": 1, "anchor_every": 1}
        lowest.update({"clean_blocks": 0, "network_visits": 1, "processes": 1})
        for name, low in lowest.items():
            value = getattr(self, name)
            if not isinstance(value, int) or value < low:
                raise ValueError(f"{name} is {value!r}; expected a whole number of at least {low}")
        if not isinstance(self.seed, int) or self.seed < 0:
            raise ValueError(f"seed is {self.seed!r}; expected a whole number of at least 0")
        if self.max_passes < self.min_passes:
            raise ValueError(f"max_passes is {self.max_passes}, less than min_passes, which is {self.min_passes}")

    def is_full(self, blocks: int, spent_ns: int, first_ns: int) -> bool:
        """Tell whether a visit has as many blocks as it is to have: how many, how long they took, and the first."""
        usual_ns = math.inf if blocks < LEAST_BLOCKS else self.blocks_per_visit * self.block_us * 1e3
        return blocks >= self.blocks_per_visit or spent_ns + first_ns > min(usual_ns, self.visit_us * 1e3)

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

    The model runs three times as long as a visit warms it up, and at least twice; its quickest run counts. The first
    inferences find cold caches, or somebody on the core, and a model taken for a slow one would have blocks of one
    inference, in which the clock itself and what the probe left in the cache are some percent.
    """
    target_ns, wanted = policy.block_us * 1e3, 1
    executable.elapsed_ns(1)  # the first inference allocates; it says nothing about the next ones
    loops, spent_ns, least_ns = 1, 0, math.inf
    while loops < wanted or (spent_ns < CALIBRATION * policy.warmup_us * 1e3 and loops < MAX_LOOPS):
        loops = min(wanted, 10 * loops)
        elapsed_ns = executable.elapsed_ns(loops)
        spent_ns += elapsed_ns
        least_ns = min(least_ns, elapsed_ns / loops)
        wanted = min(MAX_LOOPS, max(1, round(target_ns / least_ns))) if least_ns > 0 else MAX_LOOPS
    return wanted


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
    settles = 0 < _warm_up(executable, policy, loops) <= policy.settling_us * 1e3
    spent_ns = 0
    blocks: List[int] = []
    probe_us, counts = [probe.read_us()], [probe.switches()]
    while not blocks or not policy.is_full(len(blocks), spent_ns, blocks[0]):
        if settles:
            executable.elapsed_ns(1)
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

    Raises ValueError if a block took no time at all.
    """
    _warm_up(executable, policy, loops)
    blocks: List[int] = []
    while not blocks or not policy.is_full(len(blocks), sum(blocks), blocks[0]):
        blocks.append(executable.elapsed_ns(loops))
    _require_positive(blocks, loops)
    return tuple(elapsed / loops / 1e3 for elapsed in blocks)


def _warm_up(executable: TimedLoop, policy: TimingPolicy, loops: int) -> float:
    """Run a model unrecorded, and return the nanoseconds that one of its last inferences took."""
    inferences = spent_ns = took_ns = 0
    while (
        inferences < LEAST_WARM
        or spent_ns < policy.warmup_us * 1e3
        or (inferences < WARM and spent_ns < policy.visit_us * 500)
    ):
        took_ns = executable.elapsed_ns(loops)
        if took_ns <= 0:  # a clock too coarse to say when it is warm
            break
        spent_ns += took_ns
        inferences += loops
    return took_ns / loops


def _require_positive(blocks: List[int], loops: int) -> None:
    if min(blocks) <= 0:
        raise ValueError(f"{loops} loops took {min(blocks)} ns; the clock of this machine is too coarse for this model")
