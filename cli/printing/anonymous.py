"""Text without what tells whose machine it is of: fit for a bug report that anybody can read."""

from __future__ import annotations

import contextlib
import getpass
import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NOBODY_IN_PARTICULAR = ("root", "user", "localhost")


def names_here() -> dict[str, str]:
    """Return what must not be said, and what stands for it: the home folder, the user's name, the machine's."""
    home = str(Path.home())
    found = {home: "~"} if len(Path(home).parts) > 1 else {}
    with contextlib.suppress(OSError, KeyError, ImportError):  # a user may have no name
        found[getpass.getuser()] = "USER"
    host = socket.gethostname()
    found |= {host: "HOST", host.partition(".")[0]: "HOST"}
    return {name: word for name, word in found.items() if name and name not in NOBODY_IN_PARTICULAR}


def without_names(value: Any, names: Mapping[str, str]) -> Any:
    """Return JSON with the names replaced in every text, where they are words of their own; longer ones first."""
    if isinstance(value, Mapping):
        return {key: without_names(one, names) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_names(one, names) for one in value]
    if isinstance(value, str):
        for name in sorted(names, key=len, reverse=True):
            value = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", names[name], value)
    return value
