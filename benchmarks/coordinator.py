"""Where does the coordinator of many devices saturate: tactic, archive and journal, on devices that are simulated?

    python benchmarks/coordinator.py [--devices 1000] [--validations 100000] [--seconds 60]
        [--tactic random] [--population 1000] [--place /dev/shm]

Session, tactic and journal are the real ones. A device is a number: when it ends, on a clock that runs on by the
processor time that the coordinator really took. The accuracy that it tells is drawn from the architecture, durations
are log-normal (sigma 0.3) around --seconds. Waits for the disk are no processor time; what an append takes on the wall
is printed apart.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import heapq
import tempfile
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from environment import print_environment, spread

from gnomon.profilers.journal import Journal
from gnomon.search import SearchConfig
from gnomon.search.executor import Answer, Job, Key
from gnomon.search.measuring import Measuring
from gnomon.search.problem.build import build_objectives
from gnomon.search.session import Session
from gnomon.search.testing.contracts import fake_context

SIGMA = 0.3
APPENDS = 200


@dataclass
class Devices:
    """Simulated devices; `thought_s` is the coordinator's processor time for each answer."""

    count: int
    seconds: float
    rng: np.random.Generator
    now_s: float = 0.0
    busy_s: float = 0.0
    ends: list[tuple[float, Key, Job]] = field(default_factory=list)
    thought_s: list[float] = field(default_factory=list)
    since_s: float = field(default_factory=time.process_time)
    begun_s: float = 0.0

    @property
    def free(self) -> int:
        """Devices without a job."""
        return self.count - len(self.ends)

    def submit(self, key: Key, job: Job) -> None:
        """Begin when the coordinator has thought so long."""
        duration_s = float(self.seconds * job.share * np.exp(SIGMA * self.rng.standard_normal()))
        begins_s = self.now_s + time.process_time() - self.since_s
        self.busy_s += duration_s
        heapq.heappush(self.ends, (begins_s + duration_s, key, job))

    def answer(self) -> tuple[Key, Answer] | None:
        """Go on to when the next device ends, or has ended while the coordinator thought."""
        thought_s = time.process_time() - self.since_s
        self.thought_s.append(thought_s)
        end_s, key, job = heapq.heappop(self.ends)
        self.now_s = max(self.now_s + thought_s, end_s)
        value = zlib.crc32(repr(job.indices).encode()) / 2**32
        self.since_s = time.process_time()
        return key, Answer((100.0 * value,))

    def close(self) -> None:
        """Do nothing."""


def simulated(tactic: str, population: int, devices: int, validations: int, seconds: float, place: Path | None) -> None:
    """Run a search on simulated devices and print where its time went."""
    config = SearchConfig(
        space="ofa_mobilenetv3",
        objectives=("accuracy", "macs"),
        tactic=tactic,
        population=population,
        budget=validations,
        partial_share=1.0,
    )
    context = fake_context(config.space)
    objectives = build_objectives(config.objectives, context)
    with tempfile.TemporaryDirectory(dir=place) as folder:
        session = Session(context.space, config, Path(folder) / "run", objectives=objectives, provenance={})
        executor = Devices(devices, seconds, np.random.default_rng(0))
        measuring = Measuring(session, executor, objectives)
        while measuring.next() is not None:
            pass
        session.close()
        size_mib = (Path(folder) / "run" / "evaluations.jsonl").stat().st_size / 2**20
    thought_ms = 1e3 * np.array(executor.thought_s)
    print(f"\n{tactic}, population {population}: {validations} validations of {seconds:g} s on {devices} devices")
    print(f"  end after {executor.now_s / 3600:.3g} h, {validations / executor.now_s:.3g} validations a second; ideal")
    print(
        f"  is {devices / seconds / np.exp(SIGMA**2 / 2):.3g}; devices busy {100 * busy(executor, devices):.1f} % of it"
    )
    edges = sorted({0, *(int(validations * share) for share in (0.01, 0.1, 0.5)), validations})
    for first, last in zip(edges, edges[1:]):
        mean_ms = thought_ms[first:last].mean()
        enough = seconds / (mean_ms / 1e3)
        print(f"  validations {first} to {last}: {mean_ms:.3g} ms each, at most {thought_ms[first:last].max():.4g} ms")
        print(f"    saturates at {1e3 / mean_ms:.3g} a second: {enough:.0f} devices of {seconds:g} s")
    print(f"  journal {size_mib:.1f} MiB")


def busy(executor: Devices, devices: int) -> float:
    """Return the share of the time that devices had a job."""
    return executor.busy_s / (devices * executor.now_s)


def main() -> None:
    """Print environment, appends and one simulation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--validations", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--tactic", default="random")
    parser.add_argument("--population", type=int, default=1000)
    parser.add_argument("--place", type=Path, help="where the run folder stands for a while, as /dev/shm")
    asked = parser.parse_args()
    print_environment()
    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder) / "journal") as journal:
        taken_ms = []
        for number in range(APPENDS):
            began = time.perf_counter()
            journal.append({"number": number, "indices": list(range(45))})
            taken_ms.append(1e3 * (time.perf_counter() - began))
    print(f"append    {spread(taken_ms)} ms on the wall, synced")
    simulated(asked.tactic, asked.population, asked.devices, asked.validations, asked.seconds, asked.place)


if __name__ == "__main__":
    main()
