"""What huge pages are worth: one network in a process with them and one without, by turns (Linux, ONNX Runtime).

    python benchmarks/huge_pages.py [--space ofa_mobilenetv3] [--networks 4] [--seconds 30]

Where the kernel gives huge pages to those who ask ("madvise") or to everybody ("always"), what a process gets depends
on its allocator, its age, and how fragmented the memory is. Here the C library of one process asks for them
(GLIBC_TUNABLES, glibc 2.35 and later). The two take turns, an inference that does not count and one that does, so a
neighbour on the core slows both alike, and what counts is the middle ratio of two turns that follow each other.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from environment import print_environment

from gnomon.lut import network_parts
from gnomon.profilers import RunConfig
from gnomon.supernets import load_space

ASKING = "glibc.malloc.hugetlb=1"
TIMED = """
import re, sys, time
import numpy as np
import onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
inputs = {entry.name: np.ones(entry.shape, np.float32) for entry in session.get_inputs()}
for _ in range(3):
    session.run(None, inputs)
with open("/proc/self/smaps_rollup") as stream:
    print(int(re.search(r"AnonHugePages:\\s*(\\d+)", stream.read())[1]) / 1024, flush=True)
for _ in sys.stdin:
    session.run(None, inputs)
    start_ns = time.perf_counter_ns()
    session.run(None, inputs)
    print(time.perf_counter_ns() - start_ns, flush=True)
"""


def main() -> None:
    """Time by turns, and print the ratio of each network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", default="ofa_mobilenetv3")
    parser.add_argument("--networks", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=30.0, help="a network")
    arguments = parser.parse_args()
    print_environment()
    space, ratios = load_space(arguments.space), []
    with tempfile.TemporaryDirectory() as folder:
        for number, row in enumerate(space.sample(arguments.networks, np.random.default_rng(0))):
            path = Path(folder, f"{number}.onnx")
            path.write_bytes(network_parts(space, space.architecture(row), RunConfig())[0].model)
            mib, times_us = by_turns(path, arguments.seconds)
            without, with_them = np.median(times_us, axis=0) / 1e3
            low, middle, high = np.quantile(times_us[:, 0] / times_us[:, 1], (0.25, 0.5, 0.75))
            ratios.append(middle)
            print(
                f"  network {number}: {without:.2f} ms with {mib[0]:.0f} MiB in huge pages, {with_them:.2f} ms with ",
                end="",
            )
            print(
                f"{mib[1]:.0f} MiB; ratio {middle:.3f} (quartiles {low:.3f} to {high:.3f}, n = {len(times_us)} turns)"
            )
    low, high = min(ratios), max(ratios)
    print(f"without / with huge pages: {np.median(ratios):.3f} ({low:.3f} to {high:.3f}, n = {len(ratios)} networks)")


def by_turns(path: Path, seconds: float) -> tuple[tuple[float, ...], np.ndarray]:
    """Return the MiB in huge pages of both processes, and the microseconds of their turns, (turns, 2)."""
    with contextlib.ExitStack() as stack:
        pair = [stack.enter_context(started(path, tunables)) for tunables in ("", ASKING)]
        mib = tuple(float(told(process)) for process in pair)
        turns, until_s = [], time.monotonic() + seconds
        while time.monotonic() < until_s:
            turns.append([float(asked(process)) / 1e3 for process in pair])
        for process in pair:
            process.communicate()
    return mib, np.array(turns)


def started(path: Path, tunables: str) -> subprocess.Popen[str]:
    """Start a process that runs the network whenever it is given a line."""
    environment = {**os.environ, "GLIBC_TUNABLES": tunables}
    command = [sys.executable, "-c", TIMED, str(path)]
    return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def asked(process: subprocess.Popen[str]) -> str:
    """Let a process take its turn, and return the nanoseconds that it tells."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return told(process)


def told(process: subprocess.Popen[str]) -> str:
    """Return the next line of a process; SystemExit where it has ended."""
    assert process.stdout is not None
    return process.stdout.readline() or sys.exit("a process ended; its message stands above")


if __name__ == "__main__":
    main()
