"""Do the 90 % intervals that a search states of accuracy hold for the networks that it then measures?

    python benchmarks/search_intervals.py --landscape macro --data nas_bench_macro.csv [--budget 50] [--seeds 8]

The tactic gnomon searches a landscape of `search_efficiency.py`. Of every network that it predicted before it measured
it, in full or in part, the noise-free accuracy is held against the surrogate's own interval, and against the one that
the errors of earlier rounds had taught (`search/runs/widths.py`), which is what a run states. What is printed is the
share that held, by seed: these networks were chosen because they were predicted to be good.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from environment import print_environment
from search_harness.driver import LANDSCAPES, landscape_of, searched
from search_harness.entrants import ENTRANTS, Entrant
from search_harness.landscape import EXACT, Landscape

from gnomon.search import SearchConfig
from gnomon.search.archive import Archive
from gnomon.search.runs.widths import Z_90, learnt_widths
from gnomon.search.tactic import Batch, Tactic


@dataclass
class Recording:
    """A tactic whose batches are kept."""

    inner: Tactic
    batches: list[Batch] = field(default_factory=list)

    def ask(self, archive: Archive, n: int, rng: np.random.Generator, round: int) -> Batch:
        """Ask the tactic, and keep what it answers."""
        self.batches.append(self.inner.ask(archive, n, rng, round))
        return self.batches[-1]


def predicted(landscape: Landscape, entrant: Entrant, *, seed: int, budget: int) -> tuple[np.ndarray, ...]:
    """Search, and return of each predicted network its round, the error of its prediction, and its deviation, (n,)."""
    recordings: list[Recording] = []

    def build(landscape: Landscape, config: SearchConfig) -> Tactic:
        recordings.append(Recording(entrant.build(landscape, config)))
        return recordings[-1]

    searched(landscape, "gnomon", replace(entrant, build=build), EXACT, seed=seed, budget=budget)
    batches = recordings[-1].batches
    numbers = np.repeat(np.arange(len(batches)), [len(batch.rows) for batch in batches])
    truth = landscape.top1(np.concatenate([batch.rows for batch in batches]))
    mean, deviation = (
        np.concatenate([getattr(batch, what)[:, 0] for batch in batches]) for what in ("mean", "deviation")
    )
    known = np.isfinite(mean) & np.isfinite(deviation)
    return numbers[known], (mean - truth)[known], deviation[known]


def main() -> None:
    """Search with each seed, and print the shares of the intervals that held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--landscape", choices=LANDSCAPES, default="macro")
    parser.add_argument("--data", type=Path, required=True, help="the landscape's file")
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--budget", type=int, default=50)
    options = parser.parse_args()
    print_environment()
    landscape = landscape_of(options.landscape, options.data)
    shares, counts = [], []
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        rounds, errors, deviation = predicted(landscape, ENTRANTS["gnomon"], seed=seed, budget=options.budget)
        widths, _ = learnt_widths(rounds, errors / deviation)
        held = [float(np.mean(np.abs(errors) <= width * deviation)) for width in (Z_90, widths)]
        shares.append(held)
        counts.append(len(errors))
        print(
            f"seed {seed}: {len(errors)} predicted, mean error {errors.mean():+.2f}, RMSE "
            f"{np.sqrt(np.mean(errors**2)):.2f} points; of 90 % intervals hold {100 * held[0]:.0f} % (own), "
            f"{100 * held[1]:.0f} % (learnt), these {np.median(widths) / Z_90:.2f} times as wide (median)",
            flush=True,
        )
    own, learnt = np.average(shares, axis=0, weights=counts)
    print(
        f"{landscape.name}, budget {options.budget}, {options.seeds} seeds, {sum(counts)} predicted: {100 * own:.0f} % "
        f"(surrogate's own), {100 * learnt:.0f} % (learnt)"
    )


if __name__ == "__main__":
    main()
