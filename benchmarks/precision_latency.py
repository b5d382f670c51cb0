"""Is int8 faster than fp32? Whole sub-networks at both precisions, in turns, by hand-written loops on both runtimes.

    python benchmarks/precision_latency.py --space fashion_mnist --space ofa_mobilenetv3 --random 6

The smallest, the largest and some random sub-networks, one thread, one input at a time. A round runs every file once
for at least --block-ms; a ratio is fp32's lower quartile over int8's, so above 1 int8 is faster. The same int8 file goes
to both runtimes. Nothing of Gnomon's own timing takes part.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from environment import print_environment, spread
from truth import OPENERS

from gnomon.profilers.backend import RunConfig
from gnomon.supernets import SearchSpace, load_space
from gnomon.supernets.graph import models_from_architecture
from gnomon.supernets.parse import architectures_from_text
from gnomon.supernets.precision import at_precision

PRECISIONS = ("fp32", "int8")


def main() -> None:
    """Time, and print ratios a runtime and space."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", action="append", help="may be repeated; default: both below")
    parser.add_argument("--random", type=int, default=6, help="random sub-networks of each space")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--block-ms", type=float, default=20.0)
    arguments = parser.parse_args()
    print_environment()
    for name in arguments.space or ["fashion_mnist", "ofa_mobilenetv3"]:
        compare(load_space(name), arguments.random, rounds=arguments.rounds, block_ms=arguments.block_ms)


def compare(space: SearchSpace, drawn: int, *, rounds: int, block_ms: float) -> None:
    """Time the sub-networks of a space at both precisions on both runtimes."""
    chosen = [a for text in ("smallest", "largest", f"random:{drawn}") for a in architectures_from_text(space, text)]
    runners: dict[tuple[str, int, str], Callable[[], object]] = {}
    convert_s = []
    for number, architecture in enumerate(chosen):
        (part,) = models_from_architecture(space, architecture)
        for precision in PRECISIONS:
            began = time.perf_counter()
            model = at_precision(part.model, precision)
            if precision == "int8":
                convert_s.append(time.perf_counter() - began)
            for backend, opener in OPENERS.items():
                runners[backend, number, precision] = opener(model, RunConfig())
    taken = {key: quartile for key, quartile in timed(runners, rounds, block_ms).items()}
    print(f"{space.name}: {len(chosen)} sub-networks, {rounds} rounds; converted in {spread(np.array(convert_s), 2)} s")
    for backend in OPENERS:
        for number, word in ((0, "smallest"), (1, "largest")):
            fp32, int8 = (taken[backend, number, precision] for precision in PRECISIONS)
            print(f"  {backend:12s} {word:8s} fp32 {fp32:9.1f} us  int8 {int8:9.1f} us  ratio {fp32 / int8:.2f}")
        ratios = [taken[backend, n, "fp32"] / taken[backend, n, "int8"] for n in range(len(chosen))]
        print(f"  {backend:12s} all      fp32 / int8: {spread(np.array(ratios), 2)}, {min(ratios):.2f} to {max(ratios):.2f}")


def timed(
    runners: dict[tuple[str, int, str], Callable[[], object]], rounds: int, block_ms: float
) -> dict[tuple[str, int, str], float]:
    """Return the lower quartile over rounds of each runner's time a run, in microseconds."""
    blocks: dict[tuple[str, int, str], list[float]] = {key: [] for key in runners}
    for number in range(rounds + 1):
        for key, run in runners.items():
            loops, began = 0, time.perf_counter()
            while loops == 0 or (time.perf_counter() - began) * 1e3 < block_ms:
                run()
                loops += 1
            if number:  # the first round warms up
                blocks[key].append((time.perf_counter() - began) / loops * 1e6)
    return {key: float(np.percentile(values, 25)) for key, values in blocks.items()}


if __name__ == "__main__":
    main()
