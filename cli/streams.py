"""Standard streams that are closed, full, or read by nobody any more.

A process that is started without one of the three gets its number for the next file that it opens, and whatever prints
would write there. So what is missing is the null device.
"""

from __future__ import annotations

import contextlib
import os
import sys

NAMES = ("stdin", "stdout", "stderr")
EXIT_UNREAD = 141  # as a shell says of a command whose reader, such as head, has left


def open_missing() -> None:
    """Open the null device in the place of each standard stream that is closed."""
    for number, name in enumerate(NAMES):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r" if number == 0 else "w", encoding="utf-8"))  # noqa: SIM115, PTH123


def fault_of_output() -> tuple[str, OSError] | None:
    """Write what waits to be written; return the stream that does not take it, and why, None where both do.

    What it does not take is given up, so that nothing tries again.
    """
    for number, name in enumerate(NAMES[1:], 1):
        try:
            getattr(sys, name).flush()
        except OSError as error:
            with contextlib.suppress(OSError):
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, number)
                os.close(null)
                getattr(sys, name).flush()
            return name, error
    return None
