"""What a neighbour on the core does to latencies: by clean blocks, and by the lower quartile of all blocks as before.

    python benchmarks/busy_machine.py            # replay: a scripted clock and neighbour, real protocol and estimator
    python benchmarks/busy_machine.py --live     # fashion_mnist on this machine, beside busy loops that this starts

Replay: models of known latency, each slowed by the neighbour in its own measure; beside that 1 % of noise, drift by 5 %
over the run, and a clock 20 % slower in its second half. Errors are those after the median of all models is divided out
(printed as "factor"), because a machine whose clock moves has no one speed. The lower quartile has the passes it had.
Live: the two protocols in turn; the error is that of the held-out networks of each profile.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from environment import print_environment

import gnomon
from gnomon.lut.measuring.build import raw_records
from gnomon.lut.profile_file.schema import AnchorRecord, LayerRecord
from gnomon.lut.profile_file.timeline import Timeline
from gnomon.profilers import RunConfig, TimingPolicy
from gnomon.profilers.results.parsing import results_from_records
from gnomon.profilers.results.results import Results, header_record
from gnomon.profilers.testing import FakeBackend, ScriptedExecutable
from gnomon.profilers.timing.plan import PlanItem, TimingPlan
from gnomon.profilers.worker.execution import PlanExecution

MODELS, LOAD_S, NOISE, PROBE_US = 30, 0.02, 0.01, 20.0
SHARES, FACTORS, SPELLS_S = (0.0, 0.2, 0.5, 0.8, 0.9), (1.2, 1.5, 2.2), (0.005, 0.1, 2.0)
CLEAN = TimingPolicy(anchor_every=10)
BEFORE = TimingPolicy(block_us=1_000, blocks_per_visit=3, clean_blocks=0, max_passes=24, anchor_every=10)
LENGTHS: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {  # of mean one
    "exponential": lambda rng, n: rng.exponential(1.0, n),  # what the estimator assumes
    "alike": lambda rng, n: rng.uniform(0.8, 1.2, n),
    "long tail": lambda rng, n: rng.lognormal(-0.72, 1.2, n),
}
FIRST_SEED = 100  # those below were looked at while the estimator was made
HALF_S = 8.0  # after which the clock is slower
LOOP = "import os, numpy as n\nx, parent = n.ones((64, 64), 'f'), os.getppid()\nwhile os.getppid() == parent: x @ x"


class Neighbour:
    """A clock, and somebody who shares the core for ``share`` of the time, in spells and gaps of one distribution."""

    def __init__(
        self, share: float, factor: float, spell_s: float, *, lengths: str, moves: bool, rng: np.random.Generator
    ) -> None:
        self.t_s, self.factor, self.moves, self.rng = 0.0, factor, moves, rng
        count = min(int(2_000 / spell_s) if share else 0, 200_000)
        gaps = spell_s * (1 - share) / max(share, 1e-9) * LENGTHS[lengths](rng, count)
        spells = spell_s * LENGTHS[lengths](rng, count)
        self.edges = np.append(np.cumsum(np.column_stack([gaps, spells]).ravel()), np.inf)
        self.next = 0

    def run(self, clean_s: float, beta: float = 1.0) -> float:
        """Let what takes ``clean_s`` undisturbed run, and return the seconds that it took."""
        start_s, left_s = self.t_s, clean_s * (1 + NOISE * self.rng.standard_normal())
        left_s *= (1 + 0.05 * self.t_s / 60) * (1.2 if self.t_s > HALF_S else 1.0) if self.moves else 1.0
        while True:
            while self.edges[self.next] <= self.t_s:
                self.next += 1
            slow = self.factor**beta if self.next % 2 else 1.0
            until_s = float(self.edges[self.next]) - self.t_s
            if left_s * slow <= until_s:
                self.t_s += left_s * slow
                return self.t_s - start_s
            self.t_s, left_s = float(self.edges[self.next]), left_s - until_s / slow

    def read_us(self) -> float:
        """Read the probe."""
        return self.run(PROBE_US / 1e6) * 1e6

    def switches(self) -> int | None:
        """Say that nothing counts them here."""
        return None


class ReplayBackend(FakeBackend):
    """Executables whose time passes beside the neighbour."""

    def __init__(self, truth_us: dict[bytes, float], betas: dict[bytes, float], neighbour: Neighbour) -> None:
        super().__init__(lambda model: [truth_us[model]])
        self.truth_us, self.betas, self.neighbour = truth_us, betas, neighbour

    def load(self, model: bytes, config: RunConfig) -> ScriptedExecutable:
        """Return an executable; loading takes its time too."""
        self.neighbour.run(LOAD_S)
        executable = super().load(model, config)
        us, beta = self.truth_us[model], self.betas[model]
        executable.elapsed_ns = lambda loops: round(self.neighbour.run(loops * us / 1e6, beta) * 1e9)  # type: ignore[method-assign]
        return executable


class MemoryJournal:
    """A journal that no disk slows."""

    path = "memory"

    def __init__(self, plan: TimingPlan) -> None:
        self.records = [header_record(plan)]

    def append(self, record: dict[str, Any], *, sync: bool = True) -> None:
        """Keep a record."""
        self.records.append(record)


def replay(
    policy: TimingPolicy,
    share: float,
    factor: float,
    spell_s: float,
    *,
    lengths: str = "exponential",
    moves: bool = False,
    seed: int,
) -> np.ndarray:
    """Return the relative errors of all models, (n,), then the common factor and the simulated seconds."""
    rng = np.random.default_rng([seed, 7])
    of_neighbour = np.random.default_rng([seed, 8])
    neighbour = Neighbour(share, factor, spell_s, lengths=lengths, moves=moves, rng=of_neighbour)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "models").mkdir()
        items, truth_us, betas = [], {}, {}
        for number in range(MODELS + 1):
            key, file = f"m{number}", f"models/{number:064x}.onnx"
            (folder / file).write_bytes(key.encode())
            items.append(PlanItem(key, file, "layer" if number else "anchor"))
            truth_us[key.encode()] = float(np.exp(rng.uniform(np.log(5), np.log(3_000)))) if number else 200.0
            betas[key.encode()] = float(rng.uniform(0.6, 1.0))
        backend = ReplayBackend(truth_us, betas, neighbour)
        plan = TimingPlan("fake", RunConfig(), policy, tuple(items))
        journal: Any = MemoryJournal(plan)
        execution = PlanExecution(
            folder,
            plan,
            backend=backend,
            journal=journal,
            recorded=results_from_records(journal.records),
            clock=lambda: neighbour.t_s,
            probe=neighbour,
        )
        execution.open(None)
        execution.run(is_stopped=lambda: False, report=lambda record: None)
    found = latencies(results_from_records(journal.records))
    ratios = np.array([found[key.decode()] / us for key, us in truth_us.items() if key != b"m0"])
    common = float(np.median(ratios))
    return np.append(ratios / common - 1, [common, neighbour.t_s])


def latencies(results: Results) -> dict[str, float]:
    """Return every model's latency as a profile would say it."""
    anchors = [
        AnchorRecord(key=a.key, session=a.session, t_s=a.t_s, value_us=a.value_us, clean=a.clean)
        for a in results.anchors
    ]
    raw, at_s = raw_records(results), results.at_s
    records = [LayerRecord(key=key, at_s=at_s[key], **raw[key]) for key in results.measurements]
    measured, _ = Timeline.of(results.session_starts_s, anchors).read(records)
    return {record.key: found.value_us for record, found in zip(records, measured)}


def print_replay(seeds: int) -> None:
    """Print how wrong both protocols are, for every share of the time."""
    print(f"replay: {MODELS} models, {seeds} seeds, slow-downs {FACTORS}, mean spells {SPELLS_S} s")
    print("  share  lengths       speed   protocol   > 5 % wrong   rmse      worst     factor         seconds")
    kinds = [(lengths, False) for lengths in LENGTHS] + [("exponential", True)]
    for lengths, moves in kinds:
        for share in SHARES if lengths == "exponential" else SHARES[1:]:
            for label, policy in (("before", BEFORE), ("clean", CLEAN)):
                runs = np.array(
                    [
                        replay(policy, share, factor, spell_s, lengths=lengths, moves=moves, seed=FIRST_SEED + seed)
                        for factor in (FACTORS if share else FACTORS[:1])
                        for spell_s in (SPELLS_S if share else SPELLS_S[:1])
                        for seed in range(seeds)
                    ]
                )
                errors, factor_range, seconds = 100 * runs[:, :-2], runs[:, -2], np.median(runs[:, -1])
                print(
                    f"  {share:5.1f}  {lengths:12s}  {'moves' if moves else 'steady'}  {label:8s}"
                    f" {np.mean(np.abs(errors) > 5):11.1%}"
                    f" {np.sqrt(np.mean(errors**2)):8.2f} % {np.abs(errors).max():8.1f} %"
                    f"   {factor_range.min():.3f} to {factor_range.max():.3f} {seconds:6.0f}",
                    flush=True,
                )


@contextlib.contextmanager
def burners(count: int) -> Iterator[None]:
    """Keep so many busy loops running, and end them."""
    environment = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    loops = [subprocess.Popen([sys.executable, "-c", LOOP], env=environment) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def print_live(backend: str, space: str, rounds: int) -> None:
    """Print the held-out error of profiles made alone, beside a busy loop a core, and beside two a core."""
    cores = os.cpu_count() or 1
    print(f"live: {space}, {backend}, {rounds} rounds; load average {os.getloadavg()[0]:.1f} before")
    for _ in range(rounds):
        for count in (0, cores, 2 * cores):
            for label, policy in (("before", replace(BEFORE, anchor_every=25)), ("clean", TimingPolicy())):
                with tempfile.TemporaryDirectory() as name, burners(count):
                    profile = gnomon.profile(space, backend, out=Path(name) / "p.jsonl", policy=policy)
                facts = dict(profile.facts())
                print(f"  {count} busy loops, {label:6s} {profile.header.seconds:4.0f} s  {facts['error']}")
                print(f"      {facts.get('core', '')}; load average {os.getloadavg()[0]:.1f}", flush=True)


def main() -> None:
    """Print the replay, or the live figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--live", action="store_true", help="measure on this machine beside busy loops")
    parser.add_argument("--seeds", type=int, default=2, help="of the replay, a setting")
    parser.add_argument("--rounds", type=int, default=1, help="of the live profiles")
    parser.add_argument("--space", default="fashion_mnist")
    parser.add_argument("--backend", default="onnxruntime")
    arguments = parser.parse_args()
    print_environment()
    if arguments.live:
        print_live(arguments.backend, arguments.space, arguments.rounds)
    else:
        print_replay(arguments.seeds)


if __name__ == "__main__":
    main()
