"""Does TensorRT for RTX build every layer of every space, and whole sub-networks, for GPUs that are not here?

Every distinct layer of every registered space is built for the targets given, in turn (the first layer for the first
target, the second for the second, ...; `--every` builds each for all), and the smallest, the largest and some random
sub-networks for all of them. Weights are made up. What is counted: layers built and not, with TensorRT's own reasons,
and how long a build takes. Nothing is run: that takes the GPU.

    python benchmarks/tensorrt_builds.py --target sm86 --target sm120
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import time
from collections.abc import Iterator

import numpy as np
from environment import print_environment, spread

from gnomon.profilers.errors import ModelRejected, UnsupportedConfig
from gnomon.profilers.runtimes.builds import ModelBuilder
from gnomon.profilers.runtimes.registry import load_builder
from gnomon.supernets import SearchSpace, load_space
from gnomon.supernets.graph import graph_from_layers, models_from_architecture
from gnomon.supernets.precision import at_precision
from gnomon.supernets.precision.kernels import FULL
from gnomon.supernets.registry import space_names

RANDOM = 3  # sub-networks of each space, besides the smallest and the largest


def layers_of(space: SearchSpace) -> Iterator[tuple[str, bytes]]:
    """Yield every distinct layer as key and model."""
    for layer in space.unique_layers():
        yield layer.key, graph_from_layers([layer])


def networks_of(space: SearchSpace) -> Iterator[tuple[str, bytes]]:
    """Yield the parts of some whole sub-networks as name and model."""
    rows = [np.zeros_like(space.radices), space.radices - 1, *space.sample(RANDOM, np.random.default_rng(0))]
    for row in rows:
        architecture = space.architecture(row)
        for part in models_from_architecture(space, architecture):
            yield f"{architecture.id}.{part.name}", part.model


def build_all(
    builder: ModelBuilder, models: Iterator[tuple[str, bytes]], targets: list[str], *, is_every: bool
) -> tuple[list[float], list[str]]:
    """Build models and return the seconds of those that were, and why the others were not."""
    seconds, failures = [], []
    for number, (name, model) in enumerate(models):
        for target in targets if is_every else [targets[number % len(targets)]]:
            start_s = time.perf_counter()
            try:
                builder.build(model, target=target)
            except (ModelRejected, UnsupportedConfig) as error:
                failures.append(f"{name} for {target}: {error}")
                continue
            seconds.append(time.perf_counter() - start_s)
    return seconds, failures


def main() -> None:
    """Build everything and print counts, failures and seconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", action="append", help="GPU to build for; may be repeated (default: sm86 and sm120)")
    parser.add_argument("--space", action="append", help="space to build; may be repeated (default: all)")
    parser.add_argument("--precision", default="fp32", help="precision to build layers and sub-networks in")
    parser.add_argument("--every", action="store_true", help="build every layer for every target")
    options = parser.parse_args()
    targets = options.target or ["sm86", "sm120"]
    print_environment()
    builder = load_builder("tensorrt_rtx")
    print(f"builder   {builder.name} {builder.version()}, {options.precision}, for {', '.join(targets)}")
    failed: list[str] = []
    for name in options.space or space_names():
        space = load_space(name)
        for label, models, is_every in (
            ("layers", layers_of(space), options.every),
            ("sub-networks' parts", networks_of(space), True),
        ):
            precise = ((key, at_precision(model, options.precision, weight_bits=FULL)) for key, model in models)
            seconds, failures = build_all(builder, precise, targets, is_every=is_every)
            failed += failures
            figure = f"seconds a build: {spread(seconds)}, longest {max(seconds):.2f}" if seconds else "none"
            print(f"{name:18s} {label:20s} {len(seconds):4d} builds, {len(failures)} failed; {figure}", flush=True)
    print("\n".join(failed) or "nothing failed")


if __name__ == "__main__":
    main()
