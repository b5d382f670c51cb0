"""How much of the true Pareto front each tactic finds on NAS-Bench-Macro, where every network's accuracy is known.

The table (all 6,561 networks, CIFAR-10 top-1 as the mean of three trainings, FLOPs) comes by --bench: a CSV file with
columns arch (eight digits, the option of each layer), top1_percent and flops. Accuracy counts as costly, FLOPs as
cheap. Hypervolume is measured from the lowest accuracy and the most FLOPs of the table, and given as a share of the
true front's. Seconds are processor time of the tactic alone, on one core: other work on the machine does not count.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import csv
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from environment import print_environment, spread

from gnomon.search import SearchConfig, hypervolume, non_dominated
from gnomon.search.archive import Archive
from gnomon.search.objective import Direction, Values, measure
from gnomon.search.tactic import TACTICS
from gnomon.supernets import Choice, LayerSpec, SearchSpace, Slot
from gnomon.supernets.space import Indices

LAYERS, OPTIONS = 8, 3
POPULATION, BUDGETS, INNER_EVALUATIONS = 10, (50, 100, 200), 2000
DIRECTIONS: tuple[Direction, ...] = ("max", "min")
ENTRANTS = (
    ("random", "ridge"),
    ("evolutionary", "ridge"),
    ("linas", "ridge"),
    ("linas", "svr"),
    ("linas", "gp"),
)


@dataclass(frozen=True)
class Tabulated:
    """An objective that looks its values up in `table` (6561,), by the genes read as a number of base three."""

    name: str
    unit: str
    direction: Direction
    costly: bool
    table: Values

    def values(self, indices: Indices) -> Values:
        """Look (n, d) architectures up, (n,)."""
        return self.table[positions(indices)]


def positions(indices: Indices) -> Indices:
    """Return the row of the table of (n, d) architectures, (n,)."""
    return indices @ (OPTIONS ** np.arange(LAYERS)[::-1])


def read_bench(path: Path) -> tuple[Values, Values]:
    """Read top-1 and FLOPs, (6561,) each, in order of the genes."""
    tables = np.full((2, OPTIONS**LAYERS), np.nan)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            tables[:, int(row["arch"], OPTIONS)] = float(row["top1_percent"]), float(row["flops"])
    if np.isnan(tables).any():
        raise SystemExit(f"{path} lacks {np.isnan(tables[0]).sum()} of the {OPTIONS**LAYERS} networks")
    return tables[0], tables[1]


def bench_space() -> SearchSpace:
    """Build eight genes of three options, all with an effect; the layers only stand for those of the benchmark."""
    choices = tuple(Choice(f"layer{n}", ("skip", "expand3_kernel3", "expand6_kernel5")) for n in range(1, LAYERS + 1))
    slots = (Slot.tabulate(choice.name, choices, [choice.name], layer_of) for choice in choices)
    return SearchSpace("nas_bench_macro", "none", (8, 8, 8), choices, tuple(slots))


def layer_of(option: str) -> LayerSpec | None:
    """Return a layer that differs by option."""
    if option == "skip":
        return None
    expand, kernel = (3, 3) if option == "expand3_kernel3" else (6, 5)
    return LayerSpec.of(
        "mbconv",
        (8, 8, 8),
        kernel=kernel,
        stride=1,
        mid_channels=8 * expand,
        out_channels=8,
        activation="relu",
        se_channels=0,
        residual=1,
    )


def searched(space: SearchSpace, objectives: tuple[Tabulated, ...], config: SearchConfig) -> tuple[Values, float]:
    """Search as a run does, without its files; return the values (n, m) in order and the tactic's seconds."""
    tactic = TACTICS.builder(config.tactic)(config)
    measured: list[tuple[int, Indices, tuple[float, ...]]] = []
    seconds = 0.0
    for number in range(config.budget // config.population):
        archive = Archive.of(space, objectives, measured=measured)
        started = time.process_time()
        rows = tactic.ask(archive, config.population, np.random.default_rng([config.seed, number]), number).rows
        seconds += time.process_time() - started
        measured += [(number, row, measure(objectives, row)) for row in rows]
    return np.array([values for _, _, values in measured]), seconds


def main() -> None:
    """Compare all tactics over seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", type=Path, required=True, help="the table of NAS-Bench-Macro as CSV")
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    top1, flops = read_bench(options.bench)
    space = bench_space()
    objectives = (
        Tabulated("accuracy", "percent", "max", costly=True, table=top1),
        Tabulated("flops", "FLOPs", "min", costly=False, table=flops),
    )
    everything = np.stack([top1, flops], axis=1)
    reference = (float(top1.min()), float(flops.max()))
    whole = hypervolume(everything, DIRECTIONS, reference)
    print_environment()
    print(
        f"setting   {len(everything)} networks, {non_dominated(everything, DIRECTIONS).sum()} on the true front; "
        f"population {POPULATION}, {INNER_EVALUATIONS} inner evaluations, seeds 0 to {options.seeds - 1}; "
        f"reference {reference[0]:.2f} percent, {reference[1]:.4g} FLOPs"
    )
    for tactic, surrogate in ENTRANTS:
        runs = []
        for seed in range(options.seeds):
            config = SearchConfig(
                space=space.name,
                objectives=("accuracy", "flops"),
                tactic=tactic,
                surrogate=surrogate,
                population=POPULATION,
                budget=BUDGETS[-1],
                inner_evaluations=INNER_EVALUATIONS,
                seed=seed,
            )
            runs.append(searched(space, objectives, config))
        name = f"{tactic} {surrogate}" if tactic == "linas" else tactic
        for budget in BUDGETS:
            shares = [hypervolume(values[:budget], DIRECTIONS, reference) / whole for values, _ in runs]
            print(f"{name:14s} share of the true hypervolume after {budget:3d} validations: {spread(shares)}")
        print(
            f"{name:14s} processor seconds of the tactic for {BUDGETS[-1]}: {spread([seconds for _, seconds in runs])}"
        )


if __name__ == "__main__":
    main()
