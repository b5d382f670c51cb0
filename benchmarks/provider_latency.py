"""What does an execution provider of ONNX Runtime make of a network that the bare one, or OpenVINO itself, runs too?

    python benchmarks/provider_latency.py --backend onnxruntime onnxruntime:openvino openvino

Random whole sub-networks of two spaces, the same bytes for every backend, are timed by the worker as a profile would
time them. Backends take turns, a child process each, in an order shuffled every round, so that slow moments of the
machine hit all of them. A latency is the lower quartile of all blocks, as everywhere; medians and quartiles of the
blocks are printed beside it. Ratios compare two backends within a round, network by network; losses are printed as they
are.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from environment import print_environment, spread

from gnomon.profilers import (
    PlannedModel,
    RunConfig,
    TimingPolicy,
    backend_names,
    load_backend,
    read_results,
    run_plan_locally,
    write_plan,
)
from gnomon.profilers.runtimes.registry import device_of
from gnomon.profilers.timing.measurement import undisturbed
from gnomon.supernets import load_space
from gnomon.supernets.graph import graph_from_layers

SPACES = ("fashion_mnist", "ofa_mobilenetv3")
PASSES = 4  # visits to a model in one child

Blocks = dict[tuple[str, str, int], tuple[float, ...]]  # microseconds, by backend, network and round


def main() -> None:
    """Time all networks on all backends and print latencies and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = ["onnxruntime", "onnxruntime:openvino", "openvino"]
    parser.add_argument("--backend", nargs="+", default=default, choices=backend_names())
    parser.add_argument("--networks", type=int, default=4, help="sub-networks of each space")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    print_environment()
    for name in arguments.backend:
        versions = ", ".join(f"{key} {value}" for key, value in load_backend(name).versions().items())
        print(f"backend   {name}: {versions}")
    blocks = measured(arguments.backend, models_of(arguments.networks), arguments.rounds, arguments.threads)
    print(f"threads {arguments.threads}, {arguments.rounds} rounds of {PASSES} visits")
    print_latencies(arguments.backend, blocks)
    print_ratios(arguments.backend, blocks, arguments.rounds)


def models_of(networks: int) -> list[PlannedModel]:
    """Return random sub-networks of every space, at batch 1."""
    models = []
    for name in SPACES:
        space, rng = load_space(name), np.random.default_rng(0)
        for number, row in enumerate(space.sample(networks, rng)):
            model = graph_from_layers(space.layers(space.architecture(row)))
            models.append(PlannedModel(f"{name}/{number}", "network", model))
    return models


def measured(backends: Sequence[str], models: Sequence[PlannedModel], rounds: int, threads: int) -> Blocks:
    """Let the backends take turns, and return all blocks; a network that fails on one of them ends it."""
    rng, blocks = np.random.default_rng(1), {}
    with tempfile.TemporaryDirectory(prefix="gnomon-") as folder:
        for number in range(rounds):
            for backend in rng.permutation(backends):
                print(f"round {number + 1} of {rounds}: {backend}", file=sys.stderr)
                plan, results = Path(folder) / f"{number}.{backend}", Path(folder) / f"{number}.{backend}.jsonl"
                policy = TimingPolicy(min_passes=PASSES, max_passes=PASSES, seed=number)
                config = RunConfig(device_of(backend), threads=threads)
                write_plan(plan, backend=str(backend), config=config, policy=policy, models=models)
                run_plan_locally(plan, results)
                found = read_results(results)
                if found.failures:
                    sys.exit(f"{backend} failed on {found.failures[0].key}: {found.failures[0].reason}")
                of_model = defaultdict(list)
                for visit in found.visits:
                    of_model[visit.key] += visit.block_us
                blocks.update({(str(backend), key, number): tuple(values) for key, values in of_model.items()})
    return blocks


def print_latencies(backends: Sequence[str], blocks: Blocks) -> None:
    """Print every network's latency on every backend, with the spread of its blocks."""
    for key in sorted({key for _, key, _ in blocks}):
        for backend in backends:
            values = [value for (name, of, _), held in blocks.items() if (name, of) == (backend, key) for value in held]
            print(f"{key:20s} {backend:22s} {undisturbed(values):10.1f} us   blocks: {spread(values)}")


def print_ratios(backends: Sequence[str], blocks: Blocks, rounds: int) -> None:
    """Print how many times as long each backend takes as each other, over networks and rounds."""
    for first, second in combinations(backends, 2):
        for space in SPACES:
            keys = sorted({key for _, key, _ in blocks if key.startswith(f"{space}/")})
            ratios = [
                undisturbed(blocks[second, key, number]) / undisturbed(blocks[first, key, number])
                for key in keys
                for number in range(rounds)
            ]
            print(f"{space:16s} {second} / {first}: {spread(ratios)}, {min(ratios):.3g} to {max(ratios):.3g}")


if __name__ == "__main__":
    main()
