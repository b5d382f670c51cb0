"""How many validations does each method need, on which landscape?

    python benchmarks/search_efficiency.py --landscape ofa --data ofa_mbv3_top1.csv --results ofa.jsonl [--table]

Landscapes: ofa (fitted to Once-for-All's MobileNetV3; --data is the table of published validations), macro
(NAS-Bench-Macro; --data is its table), fashion (our own super-network, truly evaluated; --data is a file that keeps
the evaluations, made when missing). Methods are judged by the hypervolume of the noise-free values of what they
validated in full, against their cost in full validations. With exact prices a method may compute latency or FLOPs of
any network; with its own measurements it knows them of validated networks only, and a look at a share of the images
is not open to it, because a latency has no share. Seconds are processor time of the method alone, on one core.
Results are appended to --results run by run: the same command goes on where it was interrupted.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import sys
from pathlib import Path

from environment import print_environment
from search_harness.driver import LANDSCAPES, best_known, landscape_of, run_all
from search_harness.entrants import ENTRANTS, chosen
from search_harness.landscape import EXACT, OWN
from search_harness.results import Results
from search_harness.table import reached_table, targets_table

VARIANTS = {"exact": (EXACT,), "own": (OWN,), "both": (EXACT, OWN)}


def main() -> None:
    """Run what is missing and print all there is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--landscape", choices=LANDSCAPES, default="ofa")
    parser.add_argument("--data", type=Path, required=True, help="the landscape's file")
    parser.add_argument("--results", type=Path, help="JSON Lines that results are appended to")
    parser.add_argument("--only", help="methods whose name holds one of these, semicolons between")
    parser.add_argument("--variant", choices=VARIANTS, default="both")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--budget", type=int, default=250)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--table", action="store_true", help="print what --results holds, and run nothing")
    options = parser.parse_args()
    results = Results.load(options.results)
    landscape = landscape_of(options.landscape, options.data)
    if not options.table:
        entrants = chosen(ENTRANTS, options.only)
        settings = {"seeds": options.seeds, "budget": options.budget, "jobs": options.jobs}
        for outcome in run_all(
            options.landscape, options.data, entrants, results, variants=VARIANTS[options.variant], **settings
        ):
            print(
                f"{outcome.method}, {outcome.variant}, seed {outcome.seed}: hypervolume {outcome.volumes[-1]:.6g} "
                f"after {outcome.costs[-1]:g}, {outcome.seconds[-1]:.1f} s",
                file=sys.stderr,
                flush=True,
            )
    print_environment()
    best, runs = best_known(landscape, results), results.runs(landscape.name, landscape.setting)
    worst_top1, worst_price = landscape.reference
    print(f"landscape {landscape.name}: {landscape.setting}; reference {worst_top1:.2f} %, {worst_price:.5g}", end=" ")
    print(f"{landscape.price_unit}; best known hypervolume {best:.6g}; median (quartiles) over seeds")
    print(f"\n{reached_table(runs, best)}\n\n{targets_table(runs, best)}")


if __name__ == "__main__":
    main()
