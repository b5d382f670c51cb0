"""How much does a search on one runtime save the next one on the same device with another runtime?

    python benchmarks/search_transfer.py --data ofa_mbv3_top1.csv [--seeds 10]

First the tactic searches the landscape `ofa` with ONNX Runtime's latencies. Then it searches with OpenVINO's, twice:
cold, and warm, where every accuracy validated in the first search is known from the start and only its latency is
another. The second search's validations are counted; the first one's were paid for before.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path

from environment import print_environment
from search_harness.driver import best_known, landscape_of, searched
from search_harness.entrants import ENTRANTS
from search_harness.landscape import EXACT
from search_harness.results import Outcome, Results
from search_harness.table import reached_table, targets_table

FIRST, SECOND = "ofa", "ofa-openvino"


def transferred(path: Path, method: str, before: int, budget: int, seed: int) -> list[Outcome]:
    """Search twice on the second runtime; return the cold and the warm outcome."""
    entrant, first, second = ENTRANTS[method], landscape_of(FIRST, path), landscape_of(SECOND, path)
    _, rows = searched(first, method, entrant, EXACT, seed=seed, budget=before)
    known = list(zip(rows, first.validated(rows, 1.0, seed).tolist()))
    cold, _ = searched(second, f"{method}, cold", entrant, EXACT, seed=seed, budget=budget)
    warm, _ = searched(second, f"{method}, warm", entrant, EXACT, seed=seed, budget=budget, known=known)
    return [cold, warm]


def main() -> None:
    """Compare cold and warm over seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="ofa_mbv3_top1.csv")
    parser.add_argument("--method", choices=ENTRANTS, default="gnomon")
    parser.add_argument("--before", type=int, default=100, help="validations of the first search")
    parser.add_argument("--budget", type=int, default=100, help="validations of the second")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    results = Results(None, [], [])
    search = partial(transferred, options.data, options.method, options.before, options.budget)
    with ProcessPoolExecutor(options.jobs) as pool:
        for outcome in chain.from_iterable(pool.map(search, range(options.seeds))):
            results.add(outcome)
    landscape = landscape_of(SECOND, options.data)
    best, runs = best_known(landscape, results), results.runs(landscape.name, landscape.setting)
    print_environment()
    print(f"{options.before} validations on {FIRST}, then on {SECOND}; share of the best known; median (quartiles)")
    for found in runs.values():
        start = sorted(one.volume_at(0) / best for one in found)
        print(f"{found[0].method}: before its first validation {start[len(start) // 2]:.3f}")
    print(f"\n{reached_table(runs, best)}\n\n{targets_table(runs, best)}")


if __name__ == "__main__":
    main()
