"""Which algorithm breeds best, for one, two and three objectives?

    python benchmarks/algorithms.py [--macro PATH/nas_bench_macro.csv] [--seeds 10] [--only nsga2,agemoea2]

Two uses, as in a search. *Measured*: 250 evaluations in generations of 50, as tactic evolutionary breeds; on all 6,561
networks of NAS-Bench-Macro (accuracy, FLOPs, parameters; exact optimum) and on the analytic stand-in over the embedded
space (26 genes; a percentage, latency, parameters). *Predicted*: 20,000 evaluations of the stand-in in generations of
50, as the inner search of LINAS runs. Hypervolume is counted from the worst of a fixed sample, objectives in ranges of
it, as a share of the best known: NAS-Bench-Macro's own, or of the union of all runs here. Seconds are processor time a
run, on one core.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import csv
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from environment import print_environment, spread

from gnomon.search import hypervolume
from gnomon.search.archive import every_architecture
from gnomon.search.evolution.algorithm import ALGORITHMS, Setting
from gnomon.search.evolution.evolve import evolve, judge_of, minimised
from gnomon.search.problem.objective import Values
from gnomon.search.testing.algorithms import SPACE, values_of
from gnomon.supernets import Choice, LayerSpec, SearchSpace, Slot
from gnomon.supernets.space.space import Indices

DIRECTIONS = ("max", "min", "min")
POPULATION, MEASURED, PREDICTED = 50, 250, 20_000
RANDOM = "random"


@dataclass(frozen=True)
class Landscape:
    """A space and what its networks are worth: (n, 3) values for (n, d) rows."""

    name: str
    space: SearchSpace
    values: Callable[[Indices], Values]
    probe: Values
    exact: bool

    def volume(self, values: Values) -> float:
        """Return the hypervolume of (n, m) values in ranges of the probe, from its worst."""
        m = values.shape[1]
        low, high = (edge[:m] for edge in (self.probe.min(axis=0), self.probe.max(axis=0)))
        worst = [0.0 if direction == "max" else 1.0 for direction in DIRECTIONS[:m]]
        return hypervolume((values - low) / (high - low), DIRECTIONS[:m], worst)


def stand_in() -> Landscape:
    """Build the analytic landscape over the embedded space."""
    probe = values_of(SPACE.sample(2000, np.random.default_rng(0)), 3)
    return Landscape("stand-in", SPACE, lambda rows: values_of(rows, 3), probe, exact=False)


def macro(path: Path) -> Landscape:
    """Read NAS-Bench-Macro: eight layers of three options."""
    table = list(csv.DictReader(path.read_text().splitlines()))
    found = {row["arch"]: [float(row[name]) for name in ("top1_percent", "flops", "params")] for row in table}
    choices = tuple(Choice(f"layer{i}", (0, 1, 2)) for i in range(8))
    block = {"stride": 1, "mid_channels": 16, "out_channels": 8, "activation": "relu", "se_channels": 0, "residual": 1}
    slots = tuple(
        Slot.tabulate(c.name, choices, [c.name], lambda o: LayerSpec.of("mbconv", (8, 8, 8), kernel=2 * o + 1, **block))
        for c in choices
    )
    space = SearchSpace("macro", "none", (8, 8, 8), choices, slots)
    return Landscape(
        "NAS-Bench-Macro",
        space,
        lambda rows: np.array([found["".join(map(str, row))] for row in rows.tolist()]),
        np.array(list(found.values())),
        exact=True,
    )


def run(landscape: Landscape, name: str, m: int, seed: int, evaluations: int) -> tuple[Values, float]:
    """Return the values evaluated, (n, m), and the seconds taken."""
    rng = np.random.default_rng(seed)
    started = time.process_time()
    if name == RANDOM:
        values = landscape.values(landscape.space.sample(evaluations, rng))[:, :m]
    else:
        _, values = evolve(
            Setting(landscape.space, m, POPULATION, seed=seed),
            ALGORITHMS.load(name)(),
            lambda rows: landscape.values(rows)[:, :m],
            judge_of(DIRECTIONS[:m]),
            evaluations=evaluations,
            seed_indices=np.empty((0, len(landscape.space.choices)), dtype=np.int64),
            rng=rng,
        )
    return values, time.process_time() - started


def compare(landscape: Landscape, m: int, evaluations: int, *, seeds: int, only: list[str]) -> None:
    """Print every algorithm's share of the best known hypervolume."""
    names = [RANDOM, *(n for n in ALGORITHMS.names() if ALGORITHMS.load(n)().takes.suits(m, constrained=False))]
    results = {
        name: [run(landscape, name, m, seed, evaluations) for seed in range(seeds)]
        for name in names
        if not only or name in only
    }
    every = [values for runs in results.values() for values, _ in runs]
    if landscape.exact:
        every.append(landscape.values(every_architecture(landscape.space))[:, :m])
    best = landscape.volume(front(np.concatenate(every), m))
    print(f"\n{landscape.name}, {m} objectives, {evaluations} evaluations: share of best known hypervolume")
    for name, runs in sorted(results.items(), key=lambda item: -np.median([landscape.volume(v) for v, _ in item[1]])):
        shares = [landscape.volume(front(values, m)) / best for values, _ in runs]
        print(f"  {name:10} {spread(shares)}; {np.median([seconds for _, seconds in runs]):.2f} s")


def front(values: Values, m: int) -> Values:
    """Return what no other dominates."""
    from moocore import is_nondominated

    return values[is_nondominated(minimised(values, DIRECTIONS[:m]))]


def main() -> None:
    """Compare on all landscapes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--macro", type=Path)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--objectives", default="1,2,3")
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    only = [name for name in arguments.only.split(",") if name]
    print_environment()
    counts = [int(text) for text in arguments.objectives.split(",")]
    measured = ([macro(arguments.macro)] if arguments.macro else []) + [stand_in()]
    for m in counts:
        for landscape in measured:
            compare(landscape, m, MEASURED, seeds=arguments.seeds, only=only)
    for m in counts:
        compare(stand_in(), m, PREDICTED, seeds=arguments.seeds, only=only)


if __name__ == "__main__":
    main()
