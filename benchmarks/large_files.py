"""What large runs and profiles cost: seconds and memory of reading, appending, pricing, and of a long search.

    python benchmarks/large_files.py [--evaluations 5000,100000] [--layers 100000] [--validations 10000] [--repeats 5]
    python benchmarks/large_files.py --only shipped                              # what usual ones cost, beside it

Runs hold random networks of `fashion_mnist` in rounds of 50, with random accuracies and MACs; reading one means its
front, the traces of hypervolume and cost, and its table. Profiles are a shipped one with so many layers of no network
added; each is loaded in a process of its own, imports included, and prices a million random networks in ten batches.
The search is told accuracies of a table by a study with the tactic `random`, synced to disk one by one. Seconds are
processor time on one core, that of starting Python included where a process is started.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from environment import print_environment, spread

from gnomon import load_profile, load_run
from gnomon.lut import read_table, write_table
from gnomon.lut.profile_file.store import path_of_profile
from gnomon.profilers import Journal
from gnomon.search import SearchConfig, Study
from gnomon.supernets import load_space

SPACE, PROFILE = "fashion_mnist", "fashion_mnist/amd-epyc-2c.onnxruntime.fp32.b1.t1"
SMALL = "bert_minilm/intel-xeon-2c.onnxruntime.fp32.b1.t1"
ROUND, BATCHES, BATCH = 50, 10, 100_000

PRICE = f"""
import resource, sys, time
import numpy as np
import gnomon
profile = gnomon.load_profile(sys.argv[1])
profile.latency
loaded, rng, taken = time.process_time(), np.random.default_rng(0), 0.0
for _ in range({BATCHES}):
    rows = profile.space.sample({BATCH}, rng)
    began = time.process_time()
    profile.latency.value_us(rows)
    taken += time.process_time() - began
print(loaded, taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def write_run(folder: Path, count: int) -> None:
    """Write a run of so many evaluations."""
    space, rng = load_space(SPACE), np.random.default_rng(0)
    with Study(config_of(1), folder) as study:
        (trial,) = study.ask()
        study.tell(trial, accuracy=50.0)
    template = json.loads((folder / "evaluations.jsonl").read_text())
    header = json.loads((folder / "run.json").read_text())
    header["config"]["budget"] = count
    (folder / "run.json").write_text(json.dumps(header))
    rows = np.unique(space.sample(count + count // 10, rng), axis=0)
    rows = rows[rng.permutation(len(rows))[:count]]
    macs = space.macs(rows).tolist()
    with (folder / "evaluations.jsonl").open("w") as file:
        for order, (row, cost) in enumerate(zip(rows.tolist(), macs)):
            values = {"accuracy": float(rng.uniform(50, 90)), "macs": cost}
            number, position = divmod(order, ROUND)
            place = {"order": order, "round": number, "position": position, "size": ROUND}
            line = template | place | {"values": values, "indices": row, "id": space.architecture(row).id}
            line.pop("crc32", None)
            file.write(json.dumps(line) + "\n")
    (folder / "stop.json").unlink(missing_ok=True)


def config_of(budget: int) -> SearchConfig:
    """Return the settings of a search on a table."""
    return SearchConfig(space=SPACE, objectives=("accuracy", "macs"), budget=budget, tactic="random")


def time_runs(counts: list[int], repeats: int, folder: Path) -> None:
    """Print how long runs take to read, with all that `pareto --json` and `runs export` show."""
    for count in counts:
        write_run(folder / f"{count}", count)
        reading, all_of_it = [], []
        for _ in range(repeats):
            began = time.process_time()
            run = load_run(folder / f"{count}")
            reading.append(time.process_time() - began)
            run.front(), run.hypervolume_trace(), run.cost_trace(), run.table()
            all_of_it.append(time.process_time() - began)
        print(
            f"a run of {count} evaluations: read {spread(reading)} s; with front, traces, table {spread(all_of_it)} s"
        )


def time_appends(repeats: int, folder: Path) -> None:
    """Print how long a line takes to append, unsynced, to journals of three lengths."""
    for lines in (10, 1_000, 100_000):
        with Journal(folder / f"{lines}.jsonl") as journal:
            for number in range(lines):
                journal.append({"number": number, "text": "x" * 300}, sync=False)
        taken = []
        for _ in range(repeats):
            began = time.process_time()
            with Journal(folder / f"{lines}.jsonl") as journal:
                for number in range(100):
                    journal.append({"number": number, "text": "x" * 300}, sync=False)
            taken.append((time.process_time() - began) * 1e6 / 100)
        print(f"appending to a journal of {lines} lines, opening it included: {spread(taken)} us a line")


def time_profile(layers: int, repeats: int, folder: Path) -> None:
    """Print what a large profile costs to load, and to price a million networks with."""
    path = folder / "large.jsonl"
    header, *rest = path_of_profile(PROFILE).read_text().splitlines()
    known = [json.loads(line) for line in rest if '"record":"layer"' in line]
    with path.open("w") as file:
        file.write(header + "\n")
        for number in range(layers - len(known)):
            layer = known[number % len(known)] | {"key": f"conv(16x8x8,kernel={3 + 2 * number})"}
            file.write(json.dumps(layer, sort_keys=True, separators=(",", ":")) + "\n")
        file.write("\n".join(rest) + "\n")
    for label, source in ((f"{layers} layers, {path.stat().st_size >> 20} MiB", path), (f"{len(known)}", PROFILE)):
        results = []
        for _ in range(repeats):
            found = subprocess.run(
                [sys.executable, "-c", PRICE, str(source)], capture_output=True, text=True, check=True
            )
            results.append([float(word) for word in found.stdout.split()])
        load, price, memory = np.array(results).T
        print(
            f"a profile of {label}: start, load and fit {spread(load)} s; price a million {spread(price)} s; "
            f"both {spread(load + price)} s; peak {spread(memory)} MiB"
        )


def time_shipped(repeats: int, folder: Path) -> None:
    """Print how long two shipped profiles take to read, and the tables that one is exported to."""
    for name in (PROFILE, SMALL):
        profile, taken = load_profile(name), []
        for _ in range(repeats):
            began = time.process_time()
            load_profile(name)
            taken.append(1e3 * (time.process_time() - began))
        print(f"profile {name}, {len(profile.anchors)} visits to anchors: read {spread(taken)} ms")
    profile = load_profile(PROFILE)
    for name in ("table.csv", "table.yaml"):
        write_table(profile, folder / name)
        read_table(folder / name)
        taken = []
        for _ in range(repeats):
            began = time.process_time()
            read_table(folder / name)
            taken.append(1e3 * (time.process_time() - began))
        print(f"{name} of {len(profile.table.measurements)} layers: read {spread(taken)} ms")


def time_search(validations: int, folder: Path) -> None:
    """Print rate and memory of a long search of a table, by tenths."""
    space, step = load_space(SPACE), max(1, validations // 10)
    weights = np.random.default_rng(0).normal(size=len(space.choices))
    with Study(config_of(validations), folder / "search") as study:
        told, began = 0, time.process_time()
        while not study.done:
            for trial in study.ask():
                study.tell(trial, accuracy=float(50 + weights @ np.array(trial.indices)), seconds=0.0)
                told += 1
                if told % step == 0:
                    taken, began = time.process_time() - began, time.process_time()
                    memory = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20
                    print(
                        f"a search of {validations} on a table: {1e3 * taken / step:.2f} ms a validation up to {told}; "
                        f"resident {memory:.0f} MiB",
                        flush=True,
                    )


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evaluations", default="5000,100000", help="sizes of runs, commas between")
    parser.add_argument("--layers", type=int, default=100_000)
    parser.add_argument("--validations", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", choices=("shipped",), help="the usual files, nothing large")
    options = parser.parse_args()
    print_environment()
    with tempfile.TemporaryDirectory() as folder:
        time_shipped(options.repeats, Path(folder))
        if options.only:
            return
        time_appends(options.repeats, Path(folder))
        time_profile(options.layers, options.repeats, Path(folder))
        time_runs(list(map(int, options.evaluations.split(","))), options.repeats, Path(folder))
        time_search(options.validations, Path(folder))


if __name__ == "__main__":
    main()
