"""Is one search over networks and ways to run them better than a search in the best single way, at the same cost?

    python benchmarks/deployment_search.py --results validations.jsonl P1.jsonl P2.jsonl ...

The profiles are of one space and device, in different ways: runtime, precision, threads. Searched are all of them at
once and each for itself, with the same budget and seeds, on the task's metric and latency; hypervolume is from one
reference point for all: the metric of the smallest network in the worst precision less a point, and the largest
network's latency in the slowest way. Every validation is real, in its precision, and kept in the results file.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from environment import print_environment, spread
from remembered import Remembered

from gnomon.lut import HardwareProfile, load_profile
from gnomon.search import Run, SearchConfig, SearchContext, search_in_context
from gnomon.search.deployments.deployment import Deployment
from gnomon.search.deployments.profiles import searched
from gnomon.search.fronts.pareto import hypervolume
from gnomon.supernets.supernet import load_supernet


def found(supernet: Remembered, profiles: Sequence[HardwareProfile], *, budget: int, seed: int, folder: Path) -> Run:
    """Search networks in one way or in several."""
    objectives = (supernet.metric.name, "latency")
    known = searched(profiles[0] if len(profiles) == 1 else profiles, profiles[0].space, objectives)
    context = SearchContext(known.space, supernet=supernet, latency=known.latencies, precision=known.precision)
    config = SearchConfig(space=known.space.name, objectives=objectives, budget=budget, seed=seed)
    return search_in_context(context, config, folder, provenance=known.provenance)


def reference_of(supernet: Remembered, profiles: Sequence[HardwareProfile]) -> tuple[float, float]:
    """Return the point that all hypervolumes are measured from."""
    space = profiles[0].space
    smallest, largest = space.architecture([0] * len(space.choices)), np.array([space.radices - 1])
    precisions = {one.header.config.precision for one in profiles}
    worst = min(supernet.evaluate(smallest, precision=precision) for precision in precisions)
    return worst - 1.0, max(float(one.latency.value_us(largest)[0]) for one in profiles)


def main() -> None:
    """Search every way and all at once, and print hypervolumes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("profiles", nargs="+", help="hardware profiles of one space and device")
    parser.add_argument("--results", type=Path, required=True, help="file that keeps validations")
    parser.add_argument("--budget", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    print_environment()
    profiles = [load_profile(name) for name in options.profiles]
    supernet = Remembered(load_supernet(profiles[0].header.space), options.results)
    reference = reference_of(supernet, profiles)
    print(
        f"space     {profiles[0].space.name}, {len(profiles)} ways, cost {options.budget} each, {options.seeds} seeds"
    )
    print(f"reference {supernet.metric.name} {reference[0]:.2f}, latency {reference[1]:.1f} us")
    ways = {Deployment.of(one).label: [one] for one in profiles} | {"all at once": profiles}
    for label, some in ways.items():
        volumes, members = [], Counter[str]()
        for seed in range(options.seeds):
            with tempfile.TemporaryDirectory() as folder:
                run = found(supernet, some, budget=options.budget, seed=seed, folder=Path(folder) / "run")
                volumes.append(hypervolume(run.values, ("max", "min"), reference))
                chosen = [run.deployment(architecture) for architecture in run.front().architectures]
                members.update(way.label for way in chosen if way is not None)
        said = ", ".join(f"{count} on {way}" for way, count in members.most_common())
        print(f"{label:24s} hypervolume {spread(volumes)}{f'; of the fronts {said}' if said else ''}", flush=True)
    if supernet.seconds:
        print(f"a full validation takes {spread(supernet.seconds)} s")


if __name__ == "__main__":
    main()
