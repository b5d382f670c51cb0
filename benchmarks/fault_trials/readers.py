"""What reads a file that anybody may have made, and all that reading leads to; with good files of each kind."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from gnomon import load_profile, load_run
from gnomon.cli.options.settings_file import read_settings
from gnomon.lut import read_table, write_table
from gnomon.lut.fleet.description import read_fleet
from gnomon.lut.fleet.run import tasks_of
from gnomon.lut.kernels.graph.asked import read_asked
from gnomon.lut.kernels.profile_file.profile import load_kernel_profile
from gnomon.lut.profile_file.store import path_of_profile
from gnomon.profilers import read_results
from gnomon.profilers.timing.plan import read_plan
from gnomon.search import SearchConfig
from gnomon.search.final.front import load_final
from gnomon.search.runs.files.call import read_call
from gnomon.supernets import load_space
from gnomon.supernets.checkpoints.files import read_tensors
from gnomon.supernets.space.parse import architectures_from_text

from .bundles import unpacked, whole_bundle
from .models import small_model
from .small import plug_in_space, small_kernels, small_profile
from .weights import hostile_weights, small_weights
from .workload import FLEET, SHIPPED

SAMPLES = Path(__file__).parents[2] / "tests"
READERS = (
    *("profile", "kernel profile", "run.json", "evaluations", "stop.json", "call.json", "start"),
    *("final.jsonl", "results", "plan", "settings", "fleet", "architectures", "CSV table", "YAML table"),
    *("bundle", "ONNX model", "arguments", "weights"),  # which import torch, before which arguments end
)
SETTINGS = b'space = "fashion_mnist"\nbudget = 10\nseed = 3\nobjectives = ["accuracy", "macs"]\n'
RUNS = ("run_v5", "run_v3", "finished_v3")


@dataclass(frozen=True)
class Reader:
    """Good contents, of which the first is the small one that most hostile files are made of, and what reads them.

    `further` is what a user may ask of the file next and takes longer. `schema` is that of a record, where one is
    published. `hostile` makes hostile files of a good one where its first bytes do not say what it is.
    """

    contents: list[bytes]
    file: str
    read: Callable[[Path], object]
    further: Callable[[Path], object] | None = None
    schema: str = ""
    hostile: Callable[[bytes, np.random.Generator], bytes] | None = None


def all_of(thing: object, *without: str) -> list[object]:
    """Return the properties of an object, all but some."""
    kinds = (property, cached_property)
    names = [name for name in dir(type(thing)) if isinstance(getattr(type(thing), name, None), kinds)]
    return [getattr(thing, name) for name in names if name not in without and not name.startswith("_")]


def readers(folder: Path) -> dict[str, Reader]:
    """Return every reader by name, with what it takes in a folder; a space of twelve networks is made known for it."""
    space = load_space("fashion_mnist")
    rows = space.sample(3, np.random.default_rng(0))
    small = plug_in_space(folder / "site")
    profiles = [small_profile(small, folder / "small.jsonl")]
    profiles += [path.read_bytes() for path in sorted((SAMPLES / "lut" / "samples").glob("profile_v*.jsonl"))]
    table = load_profile(folder / "small.jsonl")
    for name in ("t.csv", "t.yaml"):
        write_table(table, folder / name)
    kernels = small_kernels(folder / "k.jsonl")
    (folder / "w.bin").write_bytes(bytes(432))  # weights that an ONNX model may say it has there
    runs = {name: Path(shutil.copytree(SAMPLES / "search" / "samples" / name, folder / name)) for name in RUNS}
    finished = runs["finished_v3"]
    whole_bundle(folder)
    few = small.sample(3, np.random.default_rng(0))

    def profile(path: Path) -> object:
        loaded = load_profile(path)
        return (
            list(loaded.table.measurements.values()),
            all_of(loaded, "space", "latency", "quality", "quality_reason"),
            repr(loaded),
        )

    def prediction(path: Path) -> object:
        loaded = load_profile(path)
        of_small = loaded.header.space == small.name
        return loaded.facts(), loaded.latency.predict(few if of_small else rows), str(loaded), all_of(loaded)

    def run_of(path: Path) -> object:
        run = load_run(path.parent)
        return run.front(), run.hypervolume_trace(), run.table(), str(run), all_of(run)

    def quality_of(path: Path) -> object:
        return load_run(path.parent).predictor_quality()

    def results_of(path: Path) -> object:
        found = read_results(path)
        return found.measurements, found.anchors, found.contention, found.at_s, found.applications

    def fleet_of(path: Path) -> object:
        return [str(task) for task in tasks_of(read_fleet(path))]

    def kernels_of(path: Path) -> object:
        loaded = load_kernel_profile(path)
        return all_of(loaded), list(loaded.kernels.values()), loaded.models

    def final_of(path: Path) -> object:
        return load_final(load_run(path.parent))

    def of_run(name: str, schema: str, run: str = "run_v5") -> Reader:
        return Reader([(runs[run] / name).read_bytes()], f"{run}/{name}", run_of, quality_of, schema)

    call = json.dumps({"isolate": True, "timeout_s": 3.0, "executor": "local"}).encode()
    (runs["run_v5"] / "call.json").write_bytes(call)
    tables = {name: (folder / name).read_bytes() for name in ("t.csv", "t.yaml")}
    results = [path.read_bytes() for path in sorted((SAMPLES / "profilers" / "samples").glob("results-v*.jsonl"))]
    return {
        "profile": Reader(
            [*profiles, path_of_profile(SHIPPED).read_bytes()], "p.jsonl", profile, prediction, "profile"
        ),
        "kernel profile": Reader([kernels], "k.jsonl", kernels_of),
        "run.json": of_run("run.json", "run"),
        "evaluations": of_run("evaluations.jsonl", "evaluation"),
        "stop.json": of_run("stop.json", "stop"),
        "call.json": Reader([call], "run_v5/call.json", lambda path: read_call(path.parent), None, "call"),
        "start": of_run("start.jsonl", "start", "run_v3"),
        "final.jsonl": Reader(
            [(finished / "final.jsonl").read_bytes()], "finished_v3/final.jsonl", final_of, None, "final-journal"
        ),
        "results": Reader(results[::-1], "r.jsonl", results_of),
        "plan": Reader([(folder / "plan" / "plan.json").read_bytes()], "plan/plan.json", read_plan),
        "settings": Reader([SETTINGS], "c.toml", lambda path: SearchConfig.model_validate(read_settings(path))),
        "fleet": Reader([FLEET.encode()], "fleet.toml", fleet_of),
        "architectures": Reader(
            [b"largest", b"random:40", ",".join(map(str, rows[0])).encode()],
            "a.txt",
            lambda path: architectures_from_text(space, path.read_bytes().decode(errors="surrogateescape")),
        ),
        "CSV table": Reader([tables["t.csv"]], "u.csv", read_table),
        "YAML table": Reader([tables["t.yaml"]], "u.yaml", read_table),
        "ONNX model": Reader([small_model()], "m.onnx", lambda path: read_asked(path, {})),
        "weights": Reader([small_weights()], "w", read_tensors, hostile=hostile_weights),
        "bundle": Reader([whole_bundle(folder / "another")], "b.zip", unpacked),
    }
