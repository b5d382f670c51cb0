"""SIGKILL again and again, then the same command to its end: nothing may be lost, differ, or be left behind.

A trial counts only if the process was alive when it was killed: at a random instant of its work, or before a random one
of its operations on files, in turn; alone, as the kernel does for memory, or with its children; every fifth time one of
its children, where one lives, which it has to survive or to say. Every third run to the end has at most three
kills; the others have up to ten, of which the first two come early, or a command that goes on would soon be over.
Imports of modules are left out, as nothing is written meanwhile (`forked.py`).
"""

from __future__ import annotations

import itertools
import math
import shutil
import time
from functools import partial
from pathlib import Path

import numpy as np

from .command import Tally
from .forked import Forked, die
from .undisturbed import Undisturbed, undisturbed
from .workload import Verb

RUNS = ((3, 0), (10, 2), (10, 2))  # to the end, in turn: kills at most, and how many of them early
EARLY = 0.5  # of what is done undisturbed
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
    for most, early in itertools.cycle(RUNS):
        if number >= trials or time.monotonic() - began_s > most_s:
            break
        place = whole.copy(folder / "place")
        for nth in range(min(most, trials - number)):
            way, process, wrong = killed_once(whole, place, number, EARLY if nth < early else 1.0, rng)
            tally.add(way or "over before it was killed", wrong)
            number += bool(way)
            if way in ("", OF_CHILD):
                break
        tally.add("runs to the end")
        tally.wrong += whole.differences(place) if process.code == 0 else whole.wrong_after(place)
        shutil.rmtree(place)
    cost_s = (time.monotonic() - began_s) / max(number, 1)
    tally.remark = f"{whole.operations} operations, {whole.taken_s:.1f} s undisturbed, {cost_s:.1f} s a kill"
    return tally


def killed_once(
    whole: Undisturbed, place: Path, number: int, share: float, rng: np.random.Generator
) -> tuple[str, Forked, str]:
    """Run a verb until it is killed, in the first `share` of what it does when undisturbed.

    Return how, "" where it was over before; its process; and what was wrong with its end.
    """
    alone, of_child = bool(number // 2 % 2), number % 5 == 4
    before = int(rng.integers(1, math.ceil(share * whole.operations) + 1)) if number % 2 and not of_child else 0
    at = (before, partial(die, alone=alone)) if before else None
    process = Forked(whole.verb.arguments, place, whole.logs, at=at)
    ends_s = time.monotonic() + float(rng.uniform(0.0, share * MOST_LONGER)) * whole.taken_s
    while process.is_alive() and (before or time.monotonic() < ends_s):
        time.sleep(0.001)
    if of_child and process.kill_child(rng):
        wrong = process.wait()
        return OF_CHILD, process, wrong
    process.kill(alone=alone)
    wrong = process.wait()
    if wrong or process.code != -9:
        return "", process, wrong
    return f"killed {'before an operation' if before else 'at an instant'}, {'alone' if alone else 'all'}", process, ""
