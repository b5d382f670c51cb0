"""Translate the parameters that library errors name into options of the command line.

The library writes parameters as Python has them, in backquotes: `force=True`, `out`, `data=FOLDER`. At the command
line they read --force, --out, --data FOLDER.
"""

from __future__ import annotations

import re

NAMED_OTHERWISE = {
    "folder": "out",
    "path": "out",
    "start_from": "from",
    "parent": "from",
    "name": "format",
    "accept": "accept-findings",
}
PARAMETERS = {
    *NAMED_OTHERWISE,
    *("backend", "checkpoint", "data", "device", "force", "objectives", "operators", "out", "precision", "processor"),
    *("period", "profile", "runtime_version", "space", "stop_gain"),
}
WRITTEN = re.compile(r"`([a-z_]+)(?:=([^`\s]+))?`")


def as_options(text: str) -> str:
    """Return `text` with the parameters in backquotes written as options; other words in backquotes stay."""
    return WRITTEN.sub(option_of, text)


def option_of(written: re.Match[str]) -> str:
    """Return the option of one parameter, with its value unless that is True."""
    name, value = written.groups()
    if name not in PARAMETERS:
        return written.group()
    option = f"--{NAMED_OTHERWISE.get(name, name).replace('_', '-')}"
    return option if value in (None, "True") else f"{option} {value}"
