"""How well does the measured memory of a network repeat, and does it tell networks apart?

    python benchmarks/memory_objective.py [--repeats 5] [--networks 8]

Sub-networks of `fashion_mnist` (the smallest, the largest and draws) and of `ofa_mobilenetv3` (smallest, middle draw,
largest), on each runtime: peak memory beside the runtime, each repeat a fresh process, all networks interleaved. Prints
median and spread (largest less smallest) of each, what the least model of all takes, and the resolution: the largest
spread against the range of the medians. Nothing is timed, so other work on the machine does not matter.
"""

from __future__ import annotations

import argparse

import numpy as np
from environment import print_environment

from gnomon.lut import timed_model
from gnomon.profilers.resources.measure import measure_resources
from gnomon.profilers.resources.usage import MemoryUse
from gnomon.profilers.run_config import RunConfig
from gnomon.profilers.testing import affine_model
from gnomon.profilers.timing.plan import Model
from gnomon.supernets import load_space
from gnomon.supernets.graph import models_from_architecture

BACKENDS = ("onnxruntime", "openvino")
MIDDLES_OF_OFA = 1


def networks_of(name: str, draws: int) -> dict[str, tuple[Model, int]]:
    """Return the smallest, the largest and so many other sub-networks of a space, each with its parameters."""
    space = load_space(name)
    ends = space.canonical(np.stack([np.zeros_like(space.radices), space.radices - 1]))
    rows = np.concatenate([ends, space.sample(draws, np.random.default_rng(0))])
    found = {}
    for row in rows:
        architecture = space.architecture(row)
        parts = models_from_architecture(space, architecture)
        found[f"{name}/{architecture.id}"] = (timed_model(parts), int(space.params(row[None])[0]))
    return found


def main() -> None:
    """Print a row a network and runtime, and what the spreads are worth."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--networks", type=int, default=8, help="of fashion_mnist")
    arguments = parser.parse_args()
    print_environment()
    networks = {"least model": (affine_model(), 272)}
    networks |= networks_of("fashion_mnist", arguments.networks - 2) | networks_of("ofa_mobilenetv3", MIDDLES_OF_OFA)
    for backend in BACKENDS:
        uses: dict[str, list[MemoryUse]] = {name: [] for name in networks}
        for _ in range(arguments.repeats):
            for name, (model, _) in networks.items():
                found = measure_resources(model, backend=backend, config=RunConfig(), repeats=1)
                uses[name] += [usage.memory for usage in found.repeats]
        report(backend, uses, {name: params for name, (_, params) in networks.items()})


def report(backend: str, uses: dict[str, list[MemoryUse]], params: dict[str, int]) -> None:
    """Print one runtime's table."""
    print(f"\n{backend}, MiB, n = {len(next(iter(uses.values())))} fresh processes each")
    print(f"  {'network':28s} {'params':>9s} {'memory':>8s} {'spread':>7s} {'whole process':>14s} {'held after':>11s}")
    for name, found in uses.items():
        memory = [use.memory_mib for use in found]
        peak, held = (np.median([getattr(use, field) for use in found]) for field in ("peak", "resident"))
        print(
            f"  {name:28s} {params[name]:9,d} {np.median(memory):8.2f} {np.ptp(memory):7.2f} {peak:14.1f} {held:11.1f}"
        )
    for space in ("fashion_mnist", "ofa_mobilenetv3"):
        own = [[use.memory_mib for use in found] for name, found in uses.items() if name.startswith(space)]
        medians, widest = np.median(own, axis=1), max(np.ptp(values) for values in own)
        weights = [params[name] for name in uses if name.startswith(space)]
        print(
            f"  {space}: {len(own)} networks take {medians.min():.2f} to {medians.max():.2f} MiB, widest spread "
            f"{widest:.2f} MiB; correlation with parameters {np.corrcoef(medians, weights)[0, 1]:.3f}"
        )


if __name__ == "__main__":
    main()
