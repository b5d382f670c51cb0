"""What kills, damaged files, full disks, clocks, rivals and hostile input do to Gnomon: trials, and what was wrong.

    python benchmarks/faults.py [--kills 10] [--verbs search,finish] [--inputs 20000] [--only kills,fuzz] [--seed 0]
    python benchmarks/faults.py --only fuzz --seed 1 --tallies fuzz.jsonl       # again with 2, 3, ...: counts add up

Kinds of trials: `kills` (SIGKILL, asserted alive: at random instants, and before random operations on files),
`journals` (cut and flipped at every byte), `disks` (full and read-only; needs leave to mount), `leave` (to write,
lost midway), `clock`, `rivals` (two processes on one output), `fuzz` (inputs to every reader and verb), and
`coverage`, which has to be named: such inputs, kept where they reach new code, for so many --seconds a reader (pip
install atheris). Wrong is a traceback, a hang, a lost or altered file, one left behind, a result that differs from an
undisturbed one, or damage that is believed. The exit code is 1 where anything was. With --tallies, counts are kept in
a file, and those of all runs with it are printed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from environment import print_environment
from fault_trials.command import Tally, gnomon
from fault_trials.coverage import fuzzed_by_coverage
from fault_trials.files import clock_back, journals, leave_lost, small_disk, two_at_once
from fault_trials.fuzz import fuzz
from fault_trials.kills import kill
from fault_trials.readers import READERS
from fault_trials.workload import BUNDLE, plug_in, verbs

KINDS = ("fuzz", "journals", "rivals", "clock", "disks", "leave", "kills")
LEAVE_LOST = 5  # times, of each verb


def results_in(folder: Path) -> Path:
    """Return results of a device, made here."""
    folder.mkdir()
    gnomon(BUNDLE, folder)
    gnomon(verbs()["bundle run"].arguments, folder)
    return next(folder.glob("b/results*.jsonl"))


def trials(kind: str, options: argparse.Namespace, folder: Path) -> Iterable[Tally]:
    """Make the trials of one kind."""
    names, rng = options.verbs.split(","), np.random.default_rng(options.seed)
    if kind == "kills":
        places = {name: folder / name.replace(" ", "-") for name in names}
        return (kill(verbs()[name], options.kills, places[name], rng, most_s=options.most_s) for name in names)
    if kind == "journals":
        return journals(folder, results_in(folder / "bundle"))
    if kind == "coverage":
        named = [name for name in options.readers.split(",") if name != "arguments"]
        return fuzzed_by_coverage(named, options.seconds, folder, options.seed)
    if kind == "fuzz":
        return fuzz(options.readers.split(","), options.inputs, folder, rng)
    if kind == "leave":
        return [leave_lost(folder, names, LEAVE_LOST, rng)]
    trial = {"rivals": two_at_once, "clock": clock_back, "disks": small_disk}[kind]
    return [trial(folder, names)]


def keep(tally: Tally, path: Path) -> None:
    """Append what trials came to."""
    with path.open("a") as file:
        file.write(json.dumps({"name": tally.name, "counts": tally.counts, "wrong": tally.wrong}) + "\n")


def added_up(path: Path) -> list[Tally]:
    """Return what the trials of all runs came to, and all of them together."""
    found, every = {}, Tally("all")
    for line in map(json.loads, path.read_text().splitlines()):
        for tally in (found.setdefault(line["name"], Tally(line["name"])), every):
            tally.counts.update(line["counts"])
            tally.wrong += line["wrong"]
    every.name = f"all {every.counts.total()}"
    return [*found.values(), every]


def main() -> None:
    """Print what each kind of trials came to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=10, help="SIGKILLs of each verb")
    parser.add_argument(
        "--verbs", default=",".join(verbs()), help="verbs of all kinds but journals and fuzz, commas between"
    )
    parser.add_argument("--inputs", type=int, default=20_000, help="inputs of each reader")
    parser.add_argument("--seconds", type=float, default=60.0, help="of coverage, for each reader")
    parser.add_argument("--readers", default=",".join(READERS), help="readers of fuzz and coverage, commas between")
    parser.add_argument("--only", default=",".join(KINDS), help="kinds of trials, commas between")
    parser.add_argument("--tallies", type=Path, help="keep counts in this file, and add them up")
    parser.add_argument(
        "--most-s", type=float, default=float("inf"), help="seconds after which a verb is killed no more"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print_environment()
    wrong, base = 0, Path(tempfile.mkdtemp())
    plug_in(base / "site")
    for kind in options.only.split(","):
        folder, began = base / kind, time.monotonic()
        folder.mkdir()
        try:
            for tally in trials(kind, options, folder):
                print(f"{tally}", flush=True)
                wrong += len(tally.wrong)
                if options.tallies:
                    keep(tally, options.tallies)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        print(f"  ({kind}: {time.monotonic() - began:.0f} s)", flush=True)
    shutil.rmtree(base)
    if options.tallies:
        print("\nall runs:", *added_up(options.tallies), sep="\n  ")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
