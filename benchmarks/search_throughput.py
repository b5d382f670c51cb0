"""How fast does a tactic think: candidates scored a second, and its own time as the archive grows?

    python benchmarks/search_throughput.py --data ofa_mbv3_top1.csv [--measured 100,500,2000] [--validations 250,2000]

On the landscape `ofa` with exact latencies. A candidate is scored when its latency is computed: that is counted. The
surrogate's fit is part of the time, and so is all else that `ask` does. Seconds are processor time on one core.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from environment import print_environment, spread
from search_harness.driver import landscape_of, searched
from search_harness.entrants import ENTRANTS, Entrant, config_of
from search_harness.landscape import EXACT, Landscape, objectives_of

from gnomon.search.archive import Archive
from gnomon.search.problem.objective import Direction, Objective, Values, measure
from gnomon.search.problem.problem import settled
from gnomon.supernets.space.space import Indices

REPEATS = 3


@dataclass(frozen=True)
class Counted(Objective):
    """A cheap objective that counts the networks it is computed for."""

    inner: Objective
    name: str
    unit: str
    direction: Direction
    counts: list[int] = field(default_factory=list)

    def values(self, indices: Indices) -> Values:
        """Compute (n, d) networks, (n,)."""
        self.counts.append(len(indices))
        return self.inner.values(indices)


def asked(landscape: Landscape, entrant: Entrant, size: int) -> tuple[list[float], list[float]]:
    """Return seconds of a round, and candidates scored a second, with `size` random networks measured."""
    accuracy, price = objectives_of(landscape, EXACT, 0)
    objectives = accuracy, Counted(price, price.name, price.unit, price.direction)
    config, problem = settled(config_of(entrant, landscape, seed=0, budget=2 * size), landscape.space, objectives)
    rows = np.unique(landscape.space.sample(size, np.random.default_rng(0)), axis=0)
    measured = [(0, row, measure(objectives, row)) for row in rows]
    archive = Archive.of(landscape.space, problem, measured=measured)
    tactic, seconds, rates = entrant.build(landscape, config), [], []
    for repeat in range(REPEATS):
        objectives[1].counts.clear()
        started = time.process_time()
        tactic.ask(archive, config.population, np.random.default_rng(repeat), 1)
        seconds.append(time.process_time() - started)
        rates.append(sum(objectives[1].counts) / seconds[-1])
    return seconds, rates


def main() -> None:
    """Print throughput by size of the archive, then the course of whole searches."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="ofa_mbv3_top1.csv")
    parser.add_argument("--method", choices=ENTRANTS, default="gnomon")
    parser.add_argument("--measured", default="100,500,2000", help="sizes of the archive, commas between")
    parser.add_argument("--validations", default="250,2000", help="lengths of whole searches, commas between")
    options = parser.parse_args()
    landscape, entrant = landscape_of("ofa", options.data), ENTRANTS[options.method]
    print_environment()
    for size in map(int, filter(None, options.measured.split(","))):
        seconds, rates = asked(landscape, entrant, size)
        print(
            f"{size:5d} measured: {spread(rates)} candidates scored a second; {spread(seconds)} s a round", flush=True
        )
    for budget in map(int, filter(None, options.validations.split(","))):
        outcome, _ = searched(landscape, options.method, entrant, EXACT, seed=0, budget=budget)
        at = [budget * part // 4 for part in (1, 2, 3, 4)]
        course = ", ".join(f"{outcome.seconds[min(n, len(outcome.seconds)) - 1]:.3g} after {n}" for n in at)
        print(f"a search of {budget} validations, seconds so far: {course}", flush=True)


if __name__ == "__main__":
    main()
