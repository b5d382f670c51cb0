"""What reads a file that anybody may have made, and all that reading leads to; with good files of each kind."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gnomon import load_profile, load_run
from gnomon.cli.options.settings_file import read_settings
from gnomon.lut import read_table
from gnomon.lut.fleet.description import read_fleet
from gnomon.lut.fleet.run import tasks_of
from gnomon.lut.kernels.profile_file.profile import load_kernel_profile
from gnomon.lut.profile_file.store import path_of_profile
from gnomon.profilers import read_results
from gnomon.profilers.timing.plan import read_plan
from gnomon.search import SearchConfig
from gnomon.search.final.front import load_final
from gnomon.search.runs.files.call import read_call
from gnomon.supernets import load_space
from gnomon.supernets.space.parse import architectures_from_text

from .bundles import unpacked, whole_bundle
from .command import gnomon
from .workload import FLEET, QUICK, SHIPPED

Reader = tuple[list[bytes], str, Callable[[Path], object]]  # good contents, the file's name, what reads it
SAMPLES = Path(__file__).parents[2] / "tests"
READERS = (
    *("profile", "kernel profile", "run.json", "evaluations", "stop.json", "call.json", "start"),
    *("final.json", "final.jsonl", "results", "plan", "settings", "fleet", "architectures", "CSV table", "YAML table"),
    *("bundle", "arguments"),
)
SETTINGS = b'space = "fashion_mnist"\nbudget = 10\nseed = 3\nobjectives = ["accuracy", "macs"]\n'
RUNS = ("run_v5", "run_v3", "finished_v3")
FEW_LAYERS = 24  # one of so many


def readers(folder: Path) -> dict[str, Reader]:
    """Return every reader by name, with what it takes in a folder."""
    space = load_space("fashion_mnist")
    rows = space.sample(3, np.random.default_rng(0))
    lines = path_of_profile(SHIPPED).read_bytes().splitlines(keepends=True)
    few = b"".join(
        line for number, line in enumerate(lines) if b'"record":"layer"' not in line or number % FEW_LAYERS == 0
    )
    for name in ("t.csv", "t.yaml"):
        gnomon(["lut", "export", SHIPPED, "--out", name], folder)
    gnomon(["profile", "--kernels", *QUICK, "--out", "k.jsonl"], folder)
    runs = {name: Path(shutil.copytree(SAMPLES / "search" / "samples" / name, folder / name)) for name in RUNS}
    finished = runs["finished_v3"]
    whole_bundle(folder)

    def profile(path: Path) -> object:
        loaded = load_profile(path)
        return loaded.facts(), loaded.latency.predict(rows), list(loaded.table.measurements.values())

    def run_of(path: Path) -> object:
        run = load_run(path.parent)
        return run.front(), run.hypervolume_trace(), run.table(), run.predictor_quality(), str(run)

    def results_of(path: Path) -> object:
        found = read_results(path)
        return found.measurements, found.anchors, found.contention, found.at_s, found.applications

    def fleet_of(path: Path) -> object:
        return [str(task) for task in tasks_of(read_fleet(path))]

    def kernels_of(path: Path) -> object:
        loaded = load_kernel_profile(path)
        return loaded.run_config, list(loaded.kernels.values()), loaded.models

    def of_run(name: str, read: Callable[[Path], object] = run_of, run: str = "run_v5") -> Reader:
        return [(runs[run] / name).read_bytes()], f"{run}/{name}", read

    (runs["run_v5"] / "call.json").write_text(json.dumps({"isolate": True, "timeout_s": 3.0, "executor": "local"}))
    tables = {name: (folder / name).read_bytes() for name in ("t.csv", "t.yaml")}
    results = [path.read_bytes() for path in sorted((SAMPLES / "profilers" / "samples").glob("results-v*.jsonl"))]
    return {
        "profile": ([few, path_of_profile(SHIPPED).read_bytes()], "p.jsonl", profile),
        "kernel profile": ([(folder / "k.jsonl").read_bytes()], "k.jsonl", kernels_of),
        "run.json": of_run("run.json"),
        "evaluations": of_run("evaluations.jsonl"),
        "stop.json": of_run("stop.json"),
        "call.json": of_run("call.json", lambda path: read_call(path.parent)),
        "start": of_run("start.jsonl", run="run_v3"),
        "final.json": of_run("final.json", lambda path: load_final(load_run(path.parent)), finished.name),
        "final.jsonl": of_run("final.jsonl", lambda path: load_final(load_run(path.parent)), finished.name),
        "results": (results, "r.jsonl", results_of),
        "plan": ([(folder / "plan" / "plan.json").read_bytes()], "plan/plan.json", read_plan),
        "settings": ([SETTINGS], "c.toml", lambda path: SearchConfig.model_validate(read_settings(path))),
        "fleet": ([FLEET.encode()], "fleet.toml", fleet_of),
        "architectures": (
            [b"largest", b"random:40", ",".join(map(str, rows[0])).encode()],
            "a.txt",
            lambda path: architectures_from_text(space, path.read_bytes().decode(errors="surrogateescape")),
        ),
        "CSV table": ([tables["t.csv"]], "u.csv", read_table),
        "YAML table": ([tables["t.yaml"]], "u.yaml", read_table),
        "bundle": ([whole_bundle(folder / "another")], "b.zip", unpacked),
    }
