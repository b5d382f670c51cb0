"""Reading what the operating system says about itself, where None means that it does not say.

Every function takes the root folder, so that tests can point it at a made-up machine.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Dict, List, Optional

ROOT = Path("/")


def read_text(root: Path, name: str) -> Optional[str]:
    """Return the stripped content of a file under ``root``, or None if it cannot be read."""
    try:
        return (root / name).read_text(encoding="utf-8", errors="replace").strip(" \t\r\n\0")
    except OSError:
        return None


def read_int(root: Path, name: str) -> Optional[int]:
    """Return the content of a file as a whole number, or None."""
    text = read_text(root, name)
    return int(text) if text is not None and re.fullmatch(r"-?\d+", text) else None


def cpuinfo(root: Path) -> Dict[str, str]:
    """Return the fields of the first processor in /proc/cpuinfo, names in lower case; later processors add fields."""
    fields: Dict[str, str] = {}
    for line in (read_text(root, "proc/cpuinfo") or "").splitlines():
        name, separator, value = line.partition(":")
        if separator:
            fields.setdefault(name.strip().lower(), value.strip())
    return fields


def numbers_from_list(text: str) -> List[int]:
    """Return the numbers of a kernel list: "0-2,5" gives [0, 1, 2, 5]."""
    numbers: List[int] = []
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if first.isdigit():
            numbers += range(int(first), int(last or first) + 1)
    return numbers


def kib_from_size(text: str) -> Optional[int]:
    """Return the KiB of a kernel cache size: "1024K" gives 1024, "32M" gives 32768."""
    match = re.fullmatch(r"(\d+)([KM]?)", text)
    if match is None:
        return None
    return int(match.group(1)) * (1024 if match.group(2) == "M" else 1)
