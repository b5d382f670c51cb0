"""What a verb leaves when nothing disturbs it, with which what trials leave is compared."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from gnomon.supernets import load_space

from .forked import Forked
from .workload import SPACE, Verb

WELL = frozenset((0,))
IS_THERE = "is there already"  # to a verb that was killed after its output had appeared
DEVICE_LOCK = "device.lock"


@dataclass(frozen=True)
class Undisturbed:
    """A verb with a folder of all that it needs, and of a run to its end: what it left, how long it took, and how.

    temporary: the folder for temporary files, with `theirs`, what libraries leave in it; names: all that lay in the
    verb's folder; operations: on files.
    """

    verb: Verb
    prepared: Path
    logs: Path
    temporary: Path
    theirs: frozenset[Path]
    left: object
    names: frozenset[str]
    operations: int
    taken_s: float

    def copy(self, place: Path) -> Path:
        """Return a fresh folder with all that the verb needs."""
        return Path(shutil.copytree(self.prepared, place))

    def wrong_after(self, place: Path) -> list[str]:
        """Run the verb in a folder where it was disturbed, to its end; say what it leaves that differs."""
        process = Forked(self.verb.arguments, place, self.logs)
        wrong = process.wait(expected=WELL)
        return [wrong] if wrong and IS_THERE not in process.said else self.differences(place)

    def differences(self, place: Path) -> list[str]:
        """Say in what a folder differs from that of the undisturbed run, and what lies among temporary files."""
        name, found = self.verb.name, None
        try:
            found = self.verb.left(place)
        except Exception as error:
            return [f"{name} left what cannot be read: {type(error).__name__}: {error}"]
        surplus = sorted(one for one in names_in(place) - self.names if not one.endswith("lock"))
        spare = sorted(path.name for path in set(self.temporary.iterdir()) - self.theirs)
        return [
            *([f"{name} left {found}, not {self.left}"[:300]] if found != self.left else []),
            *([f"{name} left {', '.join(surplus)}"[:300]] if surplus else []),
            *([f"{name} left {', '.join(spare)} among temporary files"] if spare else []),
        ]


def undisturbed(verb: Verb, folder: Path) -> Undisturbed | str:
    """Prepare a verb in `folder`, and run it twice, so that its modules are imported here; or say what was wrong."""
    logs, prepared, temporary = folder / "logs", folder / "prepared", folder / "tmp"
    prepared.mkdir(parents=True)
    temporary.mkdir()
    tempfile.tempdir = str(temporary)  # which this process and its forks have looked up
    os.environ.update(TMPDIR=str(temporary), GNOMON_DEVICE_LOCK=str(folder / DEVICE_LOCK))
    load_space(SPACE)  # built here once, where forks find it
    verb.prepare()
    for name, text in verb.files.items():
        (prepared / name).write_text(text)
    for needed in verb.needs:
        if wrong := Forked(needed, prepared, logs).wait(expected=WELL):
            return wrong
    for attempt in ("first", "whole"):
        whole = Path(shutil.copytree(prepared, folder / attempt))
        started_s = time.monotonic()
        process = Forked(verb.arguments, whole, logs)
        if wrong := process.wait(expected=WELL):
            return wrong
        process.import_what_it_imported()
    taken_s, left, names = time.monotonic() - started_s, verb.left(whole), names_in(whole)
    theirs = frozenset(temporary.iterdir())
    return Undisturbed(verb, prepared, logs, temporary, theirs, left, names, process.operations, taken_s)


def names_in(folder: Path) -> frozenset[str]:
    """Return the names of all that lies in a folder."""
    return frozenset(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
