"""Measures the memory and the energy that a model takes, in child processes.

    python -m gnomon.profilers.resources.measure PLAN_FOLDER --out FILE [--energy]

A fresh process each time, because memory that a process has held once it seldom gives back. The model comes in a plan
of one item, which says backend and configuration and may hold a program of several models. Memory is that of loading it
and of a few inferences. Energy takes longer: the model runs until the counter has moved a hundred times, for a second
at least, and the machine idles before and after, the model loaded. Exit codes are those of the worker.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import Callable, Mapping, Optional, Sequence, Tuple

from ...temporary import temporary_folder
from ..child import child_environment, require_done, run_child
from ..errors import PlanDamaged, ProfilerError
from ..exits import DONE, FAILED, INTERRUPTED
from ..journal import write_atomically
from ..run_config import RunConfig
from ..runtimes.backend import Backend, Executable
from ..runtimes.program import load_program
from ..runtimes.registry import load_backend
from ..timing.plan import Model, PlannedModel, TimingPlan, read_plan, write_plan
from ..timing.program_part import ProgramPart
from ..timing.protocol import TimingPolicy
from .counter import Counter, open_counter
from .memory import peak_mib, reset_peak, resident_mib
from .usage import EnergyReading, EnergyUse, MemoryUse, Resources, Usage

REPEATS = 3
WARMUP_LOOPS = 5
RUN_INTERVALS, MIN_RUN_S = 100, 1.0  # of the counter, so that where in one it was read is a hundredth
IDLE_INTERVALS, MIN_IDLE_S = 20, 0.5
SETTLE_S = 0.2  # until threads that wait for the next inference have given up
CHUNK_S = 0.05  # of inferences between two looks at the clock
NO_DEVICE_MEMORY = "not available: memory is measured of processes on the CPU, not of a {}"


def measure_resources(
    model: Model, *, backend: str, config: RunConfig, energy: bool = False, repeats: int = REPEATS
) -> Resources:
    """Measure what a model or program takes on this machine, each repeat in a fresh child process.

    A repeat takes about a second, with ``energy`` some three, fifteen on a GPU. Raises `CounterUnavailable`,
    `WorkerCrashed` when the runtime takes the child down, and what `load_backend` and `Backend.load` raise; ValueError
    for less than one repeat.
    """
    if repeats < 1:
        raise ValueError(f"repeats is {repeats}; expected at least 1")
    with temporary_folder() as folder:
        plan, out = folder / "plan", folder / "usage.json"
        planned = PlannedModel("model", "network", model)
        write_plan(plan, backend=backend, config=config, policy=TimingPolicy(), models=[planned])
        command = [sys.executable, "-m", f"{__package__}.measure", str(plan), "--out", str(out)]
        command += ["--energy"] if energy else []
        found = []
        for _ in range(repeats):
            ended = run_child(command, child_environment(os.environ, config.threads), None)
            require_done(ended, f"Measuring memory and energy with {backend}")
            found.append(Usage.from_json(json.loads(out.read_text(encoding="utf-8"))))
    return Resources(tuple(found), "" if config.device == "cpu" else NO_DEVICE_MEMORY.format(config.device))


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Measure the model of the plan that the command line names, write what was found, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="gnomon.profilers.resources.measure", description="Measure what a model takes."
    )
    parser.add_argument("plan", type=Path, help="folder holding plan.json and models/, of one item")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--energy", action="store_true", help="measure energy too")
    options = parser.parse_args(arguments)
    try:
        usage = measured(options.plan, energy=options.energy)
    except ProfilerError as exc:
        print(json.dumps({"event": "error", "error": type(exc).__name__, "message": str(exc)}), flush=True)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    write_atomically(options.out, json.dumps(usage.to_json()))
    return DONE


def measured(folder: Path, *, energy: bool) -> Usage:
    """Load and run the one model of a plan in this process, which should be fresh, and say what that took."""
    start = peak_mib()
    plan = read_plan(folder)
    parts = _parts(folder, plan)
    backend = load_backend(plan.backend)
    gc.collect()
    reset_peak()
    runtime = peak_mib()
    with _loaded(backend, parts, plan) as executable:
        executable.elapsed_ns(WARMUP_LOOPS)
        memory = MemoryUse(start, runtime, peak_mib(), resident_mib())
        if not energy:
            return Usage(memory, None)
        counter = open_counter(plan.config.device)
        try:
            return Usage(memory, energy_of(executable, counter))
        finally:
            counter.close()


def energy_of(
    executable: Executable,
    counter: Counter,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> EnergyUse:
    """Run a loaded model for as long as the counter needs, and idle before and after."""

    def idle() -> EnergyReading:
        sleep(SETTLE_S)
        return _energy_reading(counter, clock, lambda: sleep(max(MIN_IDLE_S, IDLE_INTERVALS * counter.interval_s)))

    inferences = 0
    loops = max(1, round(CHUNK_S * 1e9 * WARMUP_LOOPS / max(1, executable.elapsed_ns(WARMUP_LOOPS))))
    wanted_s = max(MIN_RUN_S, RUN_INTERVALS * counter.interval_s)

    def run() -> None:
        nonlocal inferences
        until_s = clock() + wanted_s
        while clock() < until_s:
            executable.elapsed_ns(loops)
            inferences += loops

    before = idle()
    running = _energy_reading(counter, clock, run)
    return EnergyUse(counter.name, tuple(counter.total), counter.interval_s, inferences, running, (before, idle()))


def _energy_reading(counter: Counter, clock: Callable[[], float], work: Callable[[], None]) -> EnergyReading:
    """Return how long some work took and what the counter counted meanwhile."""
    start_s, before = clock(), counter.read()
    work()
    after, end_s = counter.read(), clock()
    spent: Mapping[str, float] = counter.spent_mj(before, after)
    return EnergyReading(end_s - start_s, spent)


def _parts(folder: Path, plan: TimingPlan) -> Tuple[ProgramPart, ...]:
    """Read the models of the plan's one item; raises `PlanDamaged` when it has another number of items."""
    if len(plan.items) != 1:
        raise PlanDamaged(f"{folder} holds {len(plan.items)} models; what one takes is measured one at a time")
    (item,) = plan.items
    if item.parts:
        return tuple(ProgramPart(part.name, (folder / part.file).read_bytes(), part.runs) for part in item.parts)
    return (ProgramPart(item.key, (folder / item.file).read_bytes()),)


def _loaded(backend: Backend, parts: Tuple[ProgramPart, ...], plan: TimingPlan) -> Executable:
    if plan.items[0].parts:
        return load_program(backend, parts, plan.config)
    return backend.load(parts[0].model, plan.config)


if __name__ == "__main__":
    sys.exit(main())
