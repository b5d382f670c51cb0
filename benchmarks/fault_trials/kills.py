"""SIGKILL again and again, then the same command to its end: nothing may be lost, differ, or be left behind.

A trial counts only if the process was alive when it was killed: at a random instant of its work, or before a random one
of its operations on files, in turn; alone, as the kernel does for memory, or with its children; every fifth time one of
its children, where one lives, which it has to survive or to say. Imports of modules are left out, as nothing is written
meanwhile (`forked.py`).
"""

from __future__ import annotations

import shutil
import time
from functools import partial
from pathlib import Path

import numpy as np

from .command import Tally
from .forked import Forked, die
from .undisturbed import Undisturbed, undisturbed
from .workload import Verb

KILLS_A_RUN = 3  # then it goes to its end
OF_CHILD = "killed a child"
MOST_LONGER = 1.1  # than undisturbed: a kill may come so late


def kill(verb: Verb, trials: int, folder: Path, rng: np.random.Generator, *, most_s: float) -> Tally:
    """Kill a verb so often while it runs, unless that takes longer than `most_s`."""
    began_s = time.monotonic()
    tally, whole = Tally(f"SIGKILL of {verb.name}"), undisturbed(verb, folder)
    if isinstance(whole, str):
        tally.add("could not be run", whole)
        return tally
    number = 0
    while number < trials and time.monotonic() - began_s < most_s:
        place = whole.copy(folder / "place")
        for _ in range(min(KILLS_A_RUN, trials - number)):
            way, wrong = killed_once(whole, place, number, rng)
            tally.add(way or "over before it was killed", wrong)
            number += bool(way)
            if way in ("", OF_CHILD):
                break
        tally.add("runs to the end")
        tally.wrong += whole.wrong_after(place)
        shutil.rmtree(place)
    cost_s = (time.monotonic() - began_s) / max(number, 1)
    tally.name += f" ({whole.operations} operations, {whole.taken_s:.1f} s, {cost_s:.1f} s a kill)"
    return tally


def killed_once(whole: Undisturbed, place: Path, number: int, rng: np.random.Generator) -> tuple[str, str]:
    """Run a verb until it is killed; return how, "" where it was over before, and what was wrong with its end."""
    alone, of_child = bool(number // 2 % 2), number % 5 == 4
    before = int(rng.integers(1, whole.operations + 1)) if number % 2 and not of_child else 0
    at = (before, partial(die, alone=alone)) if before else None
    process = Forked(whole.verb.arguments, place, whole.logs, at=at)
    ends_s = time.monotonic() + float(rng.uniform(0.0, MOST_LONGER)) * whole.taken_s
    while process.is_alive() and (before or time.monotonic() < ends_s):
        time.sleep(0.001)
    if of_child and process.kill_child(rng):
        return OF_CHILD, process.wait()
    process.kill(alone=alone)
    wrong = process.wait()
    if wrong or process.code != -9:
        return "", wrong
    return f"killed {'before an operation' if before else 'at an instant'}, {'alone' if alone else 'all'}", ""
