"""SIGKILL at random instants, again and again, then the same command to its end: nothing may be lost, or differ.

A trial counts only if the process was alive when it was killed. What a verb leaves is compared with what it leaves
when nobody kills it, as far as it does not hold times.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gnomon import load_profile, load_run
from gnomon.search.final.front import load_final

from .command import Tally, ended, gnomon, started

SPACE = "fashion_mnist"
SHIPPED = "fashion_mnist/amd-epyc-2c.onnxruntime.fp32.b1.t1"
RUN = ["search", SPACE, "--objectives", "accuracy,macs", "--budget", "8", "--tactic", "random", "--out", "run"]
BUNDLE = ["bundle", "create", SPACE, "--networks", "10", "--time-cap-s", "1", "--out", "b.zip"]
OF_TIME = ("seconds", "elapsed_s", "crc32", "expected")
KILLS_A_RUN = 4  # then it goes to its end


@dataclass(frozen=True)
class Verb:
    """A command in a folder, what it needs there, and what it leaves, as something that can be compared."""

    name: str
    arguments: list[str]
    left: Callable[[Path], object]
    needs: tuple[list[str], ...] = ()


def lines_of(folder: Path) -> object:
    """Return a run's evaluations without their times."""
    load_run(folder / "run")
    lines = [json.loads(line) for line in (folder / "run" / "evaluations.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name not in OF_TIME} for line in lines]


def profiled(name: str) -> Callable[[Path], object]:
    """Return a function that says which layers and networks a profile holds."""

    def left(folder: Path) -> object:
        profile = load_profile(folder / name)
        return sorted(profile.table.measurements), [network.id for network in profile.networks]

    return left


def exported(folder: Path) -> object:
    """Return the digest of an exported model."""
    record = json.loads((folder / "exported" / "model.json").read_text())
    return sorted(path.name for path in (folder / "exported").iterdir()), record["architecture"]


def final_of(folder: Path) -> object:
    """Return the members of a final front with their values on the other split."""
    final = load_final(load_run(folder / "run"))
    return None if final is None else [(member.id, member.report) for member in final.members]


def size_of(name: str) -> Callable[[Path], object]:
    """Return a function that says how large a file is."""
    return lambda folder: (folder / name).stat().st_size


def results_of(folder: Path) -> object:
    """Return which models a bundle's results hold."""
    from gnomon.profilers import read_results

    (path,) = folder.glob("b/results*.jsonl")
    results = read_results(path)
    return results.is_complete, sorted(results.measurements)


def verbs() -> dict[str, Verb]:
    """Return the verbs that are killed, by name."""
    run_bundle = ["bundle", "run", "b.zip", "--backend", "onnxruntime"]
    quick = ["--networks", "10", "--time-cap-s", "1"]
    every = (
        Verb("search", RUN, lines_of),
        Verb(
            "profile", ["profile", SPACE, "--backend", "onnxruntime", *quick, "--out", "p.jsonl"], profiled("p.jsonl")
        ),
        Verb("finish", ["finish", "run", "--controls", "2"], final_of, (RUN,)),
        Verb("export", ["export", "run", "--pick", "knee", "--no-timing", "--out", "exported"], exported, (RUN,)),
        Verb("bundle create", BUNDLE, size_of("b.zip")),
        Verb("bundle run", run_bundle, results_of, (BUNDLE,)),
        Verb(
            "bundle import",
            ["bundle", "import", "b.zip", "b/results-onnxruntime-t1.jsonl", "--out", "i.jsonl"],
            profiled("i.jsonl"),
            (BUNDLE, run_bundle),
        ),
        Verb(
            "train",
            ["train", SPACE, "--epochs", "1", "--batch", "512", "--out", "w.safetensors"],
            size_of("w.safetensors"),
        ),
    )
    return {verb.name: verb for verb in every}


def kill(verb: Verb, trials: int, folder: Path, rng: np.random.Generator) -> Tally:
    """Kill a verb so often while it runs."""
    tally = Tally(f"SIGKILL of {verb.name}")
    prepared = folder / "prepared"
    prepared.mkdir(parents=True)
    for needed in verb.needs:
        gnomon(needed, prepared)
    whole = Path(shutil.copytree(prepared, folder / "whole"))
    began = time.monotonic()
    _, wrong = gnomon(verb.arguments, whole)
    taken_s = time.monotonic() - began
    if wrong:
        tally.add("could not be run", wrong)
        return tally
    expected, names = verb.left(whole), sorted(path.name for path in whole.iterdir())
    round_number = 0
    while tally.counts["killed alive"] < trials:
        place = Path(shutil.copytree(prepared, folder / f"{round_number}"))
        round_number += 1
        for _ in range(min(KILLS_A_RUN, trials - tally.counts["killed alive"])):
            process = started(verb.arguments, place)
            time.sleep(float(rng.uniform(0.1, 1.0)) * taken_s)
            alive = process.poll() is None
            if not alive:
                process.communicate()
                tally.add("over before it was killed")
                break
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            tally.add("killed alive")
        tally.wrong += wrong_after(verb, place, expected, names)
        tally.counts["runs to the end"] += 1
        shutil.rmtree(place)
    return tally


def wrong_after(verb: Verb, place: Path, expected: object, names: list[str]) -> list[str]:
    """Run a killed command to its end; say what it left that differs from what it leaves when nobody kills it."""
    code, wrong = ended(started(verb.arguments, place))
    if wrong:
        return [wrong]
    try:
        found = verb.left(place)
    except Exception as error:
        return [f"{verb.name}, exit code {code}: {type(error).__name__}: {error}"]
    surplus = sorted({path.name for path in place.iterdir()} - set(names) - {"lock"})
    surplus = [name for name in surplus if not (name.startswith(".") and name.endswith(".gnomon"))]  # swept in a minute
    return [
        *([f"{verb.name} left {found}, not {expected}"[:300]] if found != expected else []),
        *([f"{verb.name} left {', '.join(surplus)}"] if surplus else []),
    ]
