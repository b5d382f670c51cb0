"""A modality from end to end: few validations that are chosen against many that are drawn, then the chosen one shipped.

    python benchmarks/modality_search.py --space fashion_mnist --profile P.jsonl --results validations.jsonl
        [--budget 60] [--random 200] [--seeds 3] [--checkpoint FILE] [--data DIR] [--out EXPORTED]

Prints one row: space, size, data, metric of the largest, smallest and chosen sub-network on the split that the search
did not see, predicted and measured latency; and the hypervolumes, from one reference point: the worst metric among the
random networks, the largest network's latency. Every validation is real and kept in the results file, keyed by
checkpoint, split, genes and share; so an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from environment import print_environment, spread
from remembered import Remembered

from gnomon.lut import HardwareProfile, load_profile
from gnomon.search import Run, SearchConfig, SearchContext, search_in_context
from gnomon.search.export.export import export_subnet
from gnomon.search.fronts.pareto import hypervolume
from gnomon.supernets.space.parse import architectures_from_text
from gnomon.supernets.supernet import load_supernet


def searched(
    supernet: Remembered, profile: HardwareProfile, *, tactic: str, budget: int, seed: int, folder: Path
) -> Run:
    """Search on the metric and latency."""
    context = SearchContext(profile.space, supernet=supernet, latency=profile.latency)
    objectives = (supernet.metric.name, "latency")
    config = SearchConfig(space=profile.space.name, objectives=objectives, tactic=tactic, budget=budget, seed=seed)
    return search_in_context(context, config, folder, provenance={})


def volume(run: Run, first: int, reference: tuple[float, float]) -> float:
    """Return the hypervolume of a run's first full validations."""
    return hypervolume(run.values[:first], ("max", "min"), reference)


def compare(supernet: Remembered, profile: HardwareProfile, options: argparse.Namespace, folder: Path) -> Run:
    """Print the hypervolumes of chosen and drawn networks; return the first chosen run."""
    drawn = searched(supernet, profile, tactic="random", budget=options.random, seed=0, folder=folder / "random")
    slowest = float(profile.latency.value_us(np.array([profile.space.radices - 1]))[0])
    reference = (float(drawn.values[:, 0].min()), slowest)
    runs = [
        searched(supernet, profile, tactic="gnomon", budget=options.budget, seed=seed, folder=folder / f"chosen{seed}")
        for seed in range(options.seeds)
    ]
    print(f"reference {supernet.metric.name} {reference[0]:.3f}, latency {slowest:.1f} us")
    if supernet.seconds:
        print(f"a full validation takes {spread(supernet.seconds)} s")
    print(f"random    {volume(drawn, options.budget, reference):.1f} after {options.budget}", end=", ")
    print(f"{volume(drawn, options.random, reference):.1f} after {options.random}")
    volumes = [volume(run, len(run.values), reference) for run in runs]
    spent = [len(run.values) for run in runs]
    print(f"gnomon    {spread(volumes)} after a cost of {options.budget} ({spent} full validations)")
    return runs[0]


def main() -> None:
    """Search, compare, export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", required=True)
    parser.add_argument("--profile", required=True, help="hardware profile of the space, or a shipped one's name")
    parser.add_argument("--results", type=Path, required=True, help="file that keeps validations")
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--budget", type=int, default=60)
    parser.add_argument("--random", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--pick", default="knee")
    parser.add_argument("--out", type=Path, help="folder to export the chosen network to")
    options = parser.parse_args()
    print_environment()
    profile = load_profile(options.profile)
    inner = load_supernet(options.space, checkpoint=options.checkpoint, data=options.data)
    supernet = Remembered(inner, options.results)
    space, metric = profile.space, inner.metric
    print(f"space     {space.name}: {space.size:.2g} settings; {inner.size('validation')} examples to search on")
    with tempfile.TemporaryDirectory() as folder:
        run = compare(supernet, profile, options, Path(folder))
        chosen = run.front().pick(options.pick)
    named = {name: architectures_from_text(space, name)[0] for name in ("largest", "smallest")} | {"chosen": chosen}
    for name, architecture in named.items():
        value = supernet.evaluate(architecture, "test")
        latency = float(profile.latency.value_us(np.array([architecture.indices]))[0])
        size = f"{space.macs([architecture.indices])[0] / 1e6:.2f} MMACs"
        print(f"{name:9s} {metric.name} {value:.2f} {metric.unit} (test), predicted {latency:.1f} us, {size}")
    if options.out:
        print(export_subnet(inner, chosen, options.out, profile=profile, force=True))


if __name__ == "__main__":
    main()
