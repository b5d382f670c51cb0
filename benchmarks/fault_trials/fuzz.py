"""Hostile inputs to every reader and to the arguments of verbs: each is read, or refused by an error of Gnomon's.

Wrong is any other exception (what a user would see as a traceback), more than ten seconds, and a file that appears
outside the folder of the trial.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from gnomon.cli.main import run as run_command
from gnomon.errors import GnomonError
from gnomon.profilers import ProfilerError

from .bundles import hostile_bundle
from .command import Tally
from .inputs import altered, hostile_json, hostile_words
from .readers import readers
from .workload import SHIPPED

UNEXPECTED = "the operating system refused"
LIMIT_S = 10
SLOW = {"YAML table": 50}  # readers that get so many times fewer inputs, as one takes that much longer
REFUSALS = (GnomonError, ProfilerError)
FREE_VERBS = (
    *(
        ("predict",),
        ("lut", "show"),
        ("lut", "check"),
        ("lut", "diff"),
        ("lut", "export"),
        ("lut", "import"),
        ("lut", "list"),
    ),
    *(
        ("lut", "merge"),
        ("pareto",),
        ("runs",),
        ("runs", "export"),
        ("space",),
        ("spaces",),
        ("bundle", "import"),
        ("lut",),
    ),
    *(
        ("--version",),
        ("nosuch",),
        ("finish", "nosuch"),
        ("export", "nosuch"),
        ("search", "--budget", "-1"),
        ("bundle",),
    ),
    *(("profile", "--batch", "0"), ("evaluate", "--arch"), ("search", "--config"), ("train", "--epochs", "0"), ()),
)


class TooLong(BaseException):
    """An input took longer than it may."""


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Raise TooLong in a block that takes too long."""

    def stop(number: int, frame: object) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(LIMIT_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def tried(tally: Tally, what: Callable[[], object], shown: object) -> None:
    """Count how an input ended; another fault of one kind and place is counted, and not said again."""
    try:
        with limited(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            what()
    except REFUSALS:
        tally.add("refused")
    except TooLong:
        tally.add("hung", f"{shown!r:.200} took more than {LIMIT_S} s")
    except SystemExit:
        tally.add("refused")
    except Exception as error:
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        where = "" if trace is None else f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        said = f"{type(error).__name__} at {where}: {error}"[:200]
        known = any(f"{type(error).__name__} at {where}" in one for one in tally.wrong)
        tally.add("raised", "" if known else f"{said}; input {shown!r:.300}")
    else:
        tally.add("read")


def run_quietly(arguments: list[str]) -> int:
    """Run a verb in this process and return its exit code; raises what a user would see as a traceback."""
    said = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
        code = run_command(arguments)
    if UNEXPECTED in said.getvalue():  # the door for what nobody expected: a user would see one line of it
        raise AssertionError(said.getvalue())
    return code


def fuzz(names: list[str], inputs: int, folder: Path, rng: np.random.Generator) -> list[Tally]:
    """Give so many inputs to each of the readers, and to verbs as arguments."""
    tallies = []
    found = {name: reader for name, reader in readers(folder).items() if name in names}
    for name, (contents, file, read) in found.items():
        tally, path = Tally(f"hostile {name}"), folder / file
        good, began_s = contents[0], time.monotonic()
        for number in range(inputs // SLOW.get(name, 1)):
            content = contents[number % len(contents)]
            hostile = hostile_of(content)(content, rng)
            path.write_bytes(hostile)
            tried(tally, lambda path=path, read=read: read(path), hostile)
        path.write_bytes(good)
        tallies.append(tally)
        tally.name += f" ({inputs // SLOW.get(name, 1) / (time.monotonic() - began_s):.0f} a second)"
        print(f"  {tally}", file=sys.stderr, flush=True)
    if "arguments" in names:
        tallies.append(arguments(inputs, folder, rng))
    return tallies


def hostile_of(content: bytes) -> Callable[[bytes, np.random.Generator], bytes]:
    """Return what makes hostile inputs of such a file: by its first bytes."""
    return {b"{": hostile_json, b"P": hostile_bundle}.get(content[:1], altered)


def arguments(inputs: int, folder: Path, rng: np.random.Generator) -> Tally:
    """Run verbs with hostile arguments, in a folder whose neighbours must not change."""
    tally, place = Tally("hostile arguments of verbs"), folder / "inside" / "here"
    place.mkdir(parents=True)
    files = [SHIPPED, "p.jsonl", "run_v5", "t.csv", "nosuch"]
    for name in ("p.jsonl", "run_v5", "t.csv"):
        (place / name).symlink_to(folder / name)
    before, home = neighbours(folder), Path.cwd()
    os.chdir(place)
    try:
        for _ in range(inputs):
            words = hostile_words(FREE_VERBS, files, rng)
            tried(tally, lambda words=words: run_quietly(words), words)
            if (now := neighbours(folder)) != before:
                tally.add("wrote outside", f"{words} changed {set(now) ^ set(before)}")
                before = now
    finally:
        os.chdir(home)
    return tally


def neighbours(folder: Path) -> tuple[str, ...]:
    """Return what lies around the folder of the arguments' trials."""
    return tuple(sorted(path.name for place in (folder, folder / "inside") for path in place.iterdir()))
