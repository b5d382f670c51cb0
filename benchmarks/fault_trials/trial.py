"""One hostile input: how it ended, and what is wrong with that.

Wrong is any exception but those of Gnomon's (what a user would see as a traceback), more processor time or memory than
an input of this size may take, and what `watch.py` saw.
"""

from __future__ import annotations

import contextlib
import resource
import signal
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

from gnomon.errors import GnomonError
from gnomon.profilers import ProfilerError

from .command import Tally

LIMIT_S = 2  # of processor time; the good files take milliseconds
WAIT_S = 60  # of a clock, for what waits
LARGEST_MIB = 256  # that an input may add to the most that the process ever had
PROCESS_MIB = 8_000  # of address space: an input that wants all memory gets a MemoryError
REFUSALS = (GnomonError, ProfilerError)


class TooLong(BaseException):
    """An input took longer than it may."""


class Ended(BaseException):
    """An input got as far as it is let: all that was to be tried is done."""


@contextlib.contextmanager
def bounded_memory() -> Iterator[None]:
    """Let this process have so much memory in a block, and no more."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (PROCESS_MIB << 20, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@contextlib.contextmanager
def limited(limit_s: float) -> Iterator[None]:
    """Raise TooLong in a block that takes more processor time, or waits for too long."""

    def stop(number: int, frame: object) -> None:
        raise TooLong

    befores = {number: signal.signal(number, stop) for number in (signal.SIGPROF, signal.SIGALRM)}
    signal.setitimer(signal.ITIMER_PROF, limit_s)
    signal.setitimer(signal.ITIMER_REAL, WAIT_S)
    try:
        yield
    finally:
        for timer in (signal.ITIMER_PROF, signal.ITIMER_REAL):
            signal.setitimer(timer, 0)
        for number, before in befores.items():  # by default both end the process, also when one comes late
            signal.signal(number, signal.SIG_IGN if before is signal.SIG_DFL else before)


def tried(
    tally: Tally,
    what: Callable[[], object],
    shown: object,
    *,
    limit_s: float = LIMIT_S,
    named: Callable[[object], str] = lambda returned: "read",
) -> None:
    """Count how an input ended; another fault of one kind and place is counted, and not said again.

    `named` is how it ended where it returned.
    """
    had_mib = most_mib()
    try:
        with limited(limit_s), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ended = named(what())
    except REFUSALS:
        tally.add("refused")
    except TooLong as error:
        wrong(tally, "hung", f"more than {limit_s} s of processor time, in {place_of(error.__traceback__)}", shown)
    except Ended:
        tally.add("got as far as is tried")
    except SystemExit:
        tally.add("refused")
    except Exception as error:
        where = f"{type(error).__name__} at {place_of(error.__traceback__)}"
        wrong(tally, "raised", f"{where}: {error}", shown, kind=where)
    else:
        tally.add(ended)
    if most_mib() - had_mib > LARGEST_MIB:
        wrong(tally, "took memory", f"{most_mib() - had_mib:.0f} MiB more than any before", shown)


def wrong(tally: Tally, outcome: str, said: str, shown: object, *, kind: str = "") -> None:
    """Count an input that ended wrongly, and say so where none of its kind was said before."""
    is_known = any((kind or said) in one for one in tally.wrong)
    tally.add(outcome, "" if is_known else f"{said:.200}; input {shown!r:.600}")


def place_of(trace: TracebackType | None) -> str:
    """Return the file and line in which an exception was raised, or a time limit was reached."""
    frames = [(Path(frame.f_code.co_filename), line) for frame, line in traceback.walk_tb(trace)]
    frames = [(file, line) for file, line in frames if file != Path(__file__)]
    return f"{frames[-1][0].name}:{frames[-1][1]}" if frames else ""


def most_mib() -> float:
    """Return the most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
