"""The command line of benchmarks that compare entrants on a landscape."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from environment import print_environment

from search_harness.driver import LANDSCAPES, best_known, landscape_of, run_all
from search_harness.entrants import Entrant, chosen
from search_harness.landscape import EXACT, OWN
from search_harness.results import Results
from search_harness.table import reached_table, seeds_table, targets_table

VARIANTS = {"exact": (EXACT,), "own": (OWN,), "both": (EXACT, OWN)}


def compare(description: str, entrants: Mapping[str, Entrant]) -> None:
    """Run what the results lack of the entrants chosen on the command line, and print tables of all there is."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--landscape", choices=LANDSCAPES, default="ofa")
    parser.add_argument("--data", type=Path, help="the landscape's file; cells needs none")
    parser.add_argument("--results", type=Path, help="JSON Lines that results are appended to")
    parser.add_argument("--only", help="entrants whose name holds one of these, semicolons between")
    parser.add_argument("--variant", choices=VARIANTS, default="both")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0, help="others than a method was chosen on")
    parser.add_argument("--budget", type=int, default=250)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--table", action="store_true", help="print what --results holds, and run nothing")
    options = parser.parse_args()
    if options.data is None and options.landscape != "cells":
        parser.error(f"landscape {options.landscape} needs its file: --data FILE")
    results = Results.load(options.results)
    landscape = landscape_of(options.landscape, options.data)
    wanted = chosen(entrants, options.only)
    if not options.table:
        for name, entrant in wanted.items():
            if entrant.missing:
                print(f"{name} is left out: {entrant.missing}", file=sys.stderr)
        for outcome in run_all(
            options.landscape,
            options.data,
            {name: entrant for name, entrant in wanted.items() if not entrant.missing},
            results,
            variants=VARIANTS[options.variant],
            seeds=range(options.first_seed, options.first_seed + options.seeds),
            budget=options.budget,
            jobs=options.jobs,
        ):
            print(
                f"{outcome.method}, {outcome.variant}, seed {outcome.seed}: hypervolume {outcome.volumes[-1]:.6g} "
                f"after {outcome.costs[-1]:g}, {outcome.seconds[-1]:.1f} s",
                file=sys.stderr,
                flush=True,
            )
    print_environment()
    found = results.runs(landscape.name, landscape.setting)
    order = {name: position for position, name in enumerate(wanted)}
    runs = {key: found[key] for key in sorted((key for key in found if key[0] in order), key=lambda key: order[key[0]])}
    best = best_known(landscape, results)
    worst_top1, worst_price = landscape.reference
    if best <= 0:
        raise SystemExit(
            f"landscape {landscape.name}, {landscape.setting}: nothing validated has more than {worst_top1:g} %, where "
            "hypervolume counts from, so there is nothing to compare; give it trained weights, or a larger --budget"
        )
    print(
        f"landscape {landscape.name}: {landscape.setting}; hypervolume from {worst_top1:.2f} % and {worst_price:.5g} "
        f"{landscape.price_unit}, best known {best:.6g}; median (quartiles) over seeds"
    )
    print(f"\n{reached_table(runs, best)}\n\n{targets_table(runs, best)}")
    if runs and all(one.validation_seconds for outcomes in runs.values() for one in outcomes):
        print(f"\n{seeds_table(runs)}")
