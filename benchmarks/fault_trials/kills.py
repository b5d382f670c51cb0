"""SIGKILL again and again, then the same command to its end: nothing may be lost, differ, or be left behind.

A trial counts only if the process was alive when it was killed: at a random instant of its work, or before a random one
of its operations on files, in turn; alone, as the kernel does for memory, or with its children. Imports of modules are
left out, as nothing is written meanwhile (`forked.py`).
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np

from .command import Tally
from .forked import Forked
from .workload import Verb

KILLS_A_RUN = 3  # then it goes to its end
MOST_LONGER = 1.1  # than undisturbed: a kill may come so late
WELL = frozenset((0,))
IS_THERE = "is there already"  # killed after its output had appeared
DEVICE_LOCK = "device.lock"


def kill(verb: Verb, trials: int, folder: Path, rng: np.random.Generator) -> Tally:
    """Kill a verb so often while it runs."""
    began_s = time.monotonic()
    tally, logs = Tally(f"SIGKILL of {verb.name}"), folder / "logs"
    prepared, temporary = folder / "prepared", folder / "tmp"
    prepared.mkdir(parents=True)
    temporary.mkdir()
    tempfile.tempdir = str(temporary)  # which this process and its forks have looked up
    os.environ.update(TMPDIR=str(temporary), GNOMON_DEVICE_LOCK=str(folder / DEVICE_LOCK))
    for name, text in verb.files.items():
        (prepared / name).write_text(text)
    for needed in verb.needs:
        if wrong := Forked(needed, prepared, logs).wait(expected=WELL):
            tally.add("could not be prepared", wrong)
            return tally
    for attempt in ("first", "whole"):
        whole = Path(shutil.copytree(prepared, folder / attempt))
        started_s = time.monotonic()
        undisturbed = Forked(verb.arguments, whole, logs)
        if wrong := undisturbed.wait(expected=WELL):
            tally.add("could not be run", wrong)
            return tally
        undisturbed.import_what_it_imported()
    taken_s, operations = time.monotonic() - started_s, undisturbed.operations
    expected, names, theirs = verb.left(whole), names_in(whole), set(temporary.iterdir())  # of libraries
    place, number = folder / "place", 0
    while number < trials:
        shutil.copytree(prepared, place)
        for _ in range(min(KILLS_A_RUN, trials - number)):
            alone = bool(number // 2 % 2)
            before = int(rng.integers(1, operations + 1)) if number % 2 else 0
            process = Forked(verb.arguments, place, logs, dies_before=before, alone=alone)
            ends_s = time.monotonic() + float(rng.uniform(0.0, MOST_LONGER)) * taken_s
            while process.is_alive() and (before or time.monotonic() < ends_s):
                time.sleep(0.001)
            process.kill(alone=alone)
            wrong = process.wait()
            if wrong or process.code != -9:
                tally.add("over before it was killed", wrong)
                break
            number += 1
            tally.add(f"killed {'before an operation' if before else 'at an instant'}, {'alone' if alone else 'all'}")
        tally.add("runs to the end")
        tally.wrong += wrong_after(verb, place, logs, expected, names)
        shutil.rmtree(place)
        if surplus := sorted(path.name for path in set(temporary.iterdir()) - theirs):
            tally.wrong.append(f"{verb.name} left {', '.join(surplus)} among temporary files")
    tally.name += f" ({operations} operations, {taken_s:.1f} s, {(time.monotonic() - began_s) / trials:.1f} s a kill)"
    return tally


def names_in(folder: Path) -> set[str]:
    """Return the names of all that lies in a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def wrong_after(verb: Verb, place: Path, logs: Path, expected: object, names: set[str]) -> list[str]:
    """Run a killed command to its end; say what it left that differs from what it leaves when nobody kills it."""
    process = Forked(verb.arguments, place, logs)
    wrong = process.wait(expected=WELL)
    if wrong and IS_THERE not in process.said:
        return [wrong]
    try:
        found = verb.left(place)
    except Exception as error:
        return [f"{verb.name}, exit code {process.code}: {type(error).__name__}: {error}"]
    surplus = sorted(name for name in names_in(place) - names if not name.endswith("lock"))
    return [
        *([f"{verb.name} left {found}, not {expected}"[:300]] if found != expected else []),
        *([f"{verb.name} left {', '.join(surplus)}"] if surplus else []),
    ]
