"""What stands at a path that somebody named: looked at without opening it, so that nothing is waited for.

`Path.exists` and `is_file` raise for a name that is too long and for a folder that may not be entered; these do not.
This file imports no package of Gnomon's, so all may import it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

KINDS = (
    (stat.S_ISREG, "a file"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
)
ABSENT = "does not exist"


def exists(path: str | os.PathLike[str]) -> bool:
    """Tell whether anything that can be looked at is at a path, through links."""
    return fault_of(path, lambda mode: True) == ""


def fault_of_file(path: str | os.PathLike[str]) -> str:
    """Say why a path, through links, is no regular file, as the predicate of a sentence; "" where it is one."""
    return fault_of(path, stat.S_ISREG)


def fault_of_folder(path: str | os.PathLike[str]) -> str:
    """Say why a path, through links, is no folder, as the predicate of a sentence; "" where it is one."""
    return fault_of(path, stat.S_ISDIR)


def fault_of(path: str | os.PathLike[str], is_right: Callable[[int], bool]) -> str:
    """Say what a path is where `is_right` does not hold of it, or why it cannot be looked at."""
    try:
        mode = Path(path).stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):  # no name has a null character
        return ABSENT
    except OSError as error:
        return f"cannot be looked at ({error.strerror})"
    if is_right(mode):
        return ""
    return f"is {next((noun for is_kind, noun in KINDS if is_kind(mode)), 'a device')}"
