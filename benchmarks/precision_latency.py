"""Is int8 faster than fp32? Whole sub-networks at both precisions, in turns, by code that shares nothing with ours.

    python benchmarks/precision_latency.py --space fashion_mnist --space ofa_mobilenetv3 --random 6

The smallest, the largest and some random sub-networks, one thread, one input at a time, timed as `truth.py` says: all
files compiled at once and visited in shuffled passes, in two processes. A ratio is fp32's latency over int8's, so above
1 int8 is faster. The same int8 file goes to both runtimes.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from environment import print_environment, spread
from truth import OPENERS, latencies_us, measure_truth

from gnomon.profilers.run_config import RunConfig
from gnomon.supernets import SearchSpace, load_space
from gnomon.supernets.graph import models_from_architecture
from gnomon.supernets.precision import at_precision
from gnomon.supernets.space.parse import architectures_from_text


def main() -> None:
    """Time, and print ratios a runtime and space."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", action="append", help="may be repeated; default: fashion_mnist, ofa_mobilenetv3")
    parser.add_argument("--random", type=int, default=6, help="random sub-networks of each space")
    parser.add_argument("--passes", type=int, default=6)
    parser.add_argument("--backend", action="append", choices=sorted(OPENERS), help="default: all of them")
    arguments = parser.parse_args()
    print_environment()
    for name in arguments.space or ["fashion_mnist", "ofa_mobilenetv3"]:
        compare(load_space(name), arguments.random, arguments.passes, backends=arguments.backend or list(OPENERS))


def compare(space: SearchSpace, drawn: int, passes: int, *, backends: list[str]) -> None:
    """Time the sub-networks of a space at both precisions on some runtimes."""
    texts = ("smallest", "largest", f"random:{drawn}")
    chosen = [architecture for text in texts for architecture in architectures_from_text(space, text)]
    fp32 = [part.model for architecture in chosen for part in models_from_architecture(space, architecture)]
    began = time.perf_counter()
    int8 = [at_precision(model, "int8") for model in fp32]
    convert_s = (time.perf_counter() - began) / len(chosen)
    print(f"{space.name}: {len(chosen)} sub-networks, converted to int8 in {convert_s:.2f} s each")
    for backend in backends:
        taken = latencies_us(measure_truth([*fp32, *int8], backend, RunConfig(), passes=passes))
        before, after = np.split(np.asarray(taken), 2)
        for number, word in ((0, "smallest"), (1, "largest")):
            ratio = before[number] / after[number]
            pair = f"fp32 {before[number]:.1f} us, int8 {after[number]:.1f} us"
            print(f"  {backend:12s} {word} {pair}, ratio {ratio:.2f}")
        ratios = before / after
        print(f"  {backend:12s} fp32 / int8: {spread(ratios)}, {ratios.min():.2f} to {ratios.max():.2f}")


if __name__ == "__main__":
    main()
