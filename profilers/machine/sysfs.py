"""Reading what the operating system says about itself, where None means that it does not say.

Every function takes the root folder, so that tests can point it at a made-up machine. Whatever a file holds (nothing,
binary, gigabytes), no function here raises.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Dict, List, Optional

ROOT = Path("/")
MAX_BYTES = 2**20  # of a file that are looked at
MAX_CPUS = 2**16


def read_text(root: Path, name: str) -> Optional[str]:
    """Return the stripped content of a file under ``root``, or None if it cannot be read."""
    try:
        with (root / name).open("rb") as file:
            return file.read(MAX_BYTES).decode("utf-8", errors="replace").strip(" \t\r\n\0")
    except (OSError, ValueError):  # ValueError: a name that no file can have
        return None


def read_int(root: Path, name: str) -> Optional[int]:
    """Return the content of a file as a whole number, or None."""
    text = read_text(root, name)
    return int(text) if text is not None and re.fullmatch(r"-?[0-9]{1,20}", text) else None


def number_from(text: str) -> Optional[float]:
    """Return a plain decimal number of at least 0, or None for any other text."""
    value = float(text) if re.fullmatch(r"[0-9]{1,20}(\.[0-9]{1,20})?", text) else math.inf
    return value if value < math.inf else None


def fields_from(text: Optional[str]) -> Dict[str, str]:
    """Return the second word of each line by its first: "nr_throttled 7" gives 7 as a text."""
    lines = (line.split() for line in (text or "").splitlines())
    return {words[0].rstrip(":"): words[1] for words in lines if len(words) > 1}


def gib_text(kib: float) -> str:
    """Return KiB for people: "1.5 GiB"."""
    return f"{kib / 2**20:.1f} GiB"


def has_program(root: Path, name: str) -> bool:
    """Tell whether a command of that name is installed in one of the usual folders."""
    return any((root / folder / name).is_file() for folder in ("usr/bin", "usr/sbin", "usr/local/bin", "bin", "sbin"))


def cpuinfo(root: Path) -> Dict[str, str]:
    """Return the fields of the first processor in /proc/cpuinfo, names in lower case; later processors add fields."""
    fields: Dict[str, str] = {}
    for line in (read_text(root, "proc/cpuinfo") or "").splitlines():
        name, separator, value = line.partition(":")
        if separator:
            fields.setdefault(name.strip().lower(), value.strip())
    return fields


def numbers_from_list(text: str) -> List[int]:
    """Return the numbers of a kernel list: "0-2,5" gives [0, 1, 2, 5]; parts that are none are left out."""
    numbers: List[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"([0-9]{1,6})(?:-([0-9]{1,6}))?", part.strip())
        if match and len(numbers) < MAX_CPUS:
            first, last = int(match.group(1)), int(match.group(2) or match.group(1))
            numbers += range(first, min(last, first + MAX_CPUS) + 1)
    return numbers


def list_from_numbers(numbers: List[int]) -> str:
    """Return a kernel list of ascending numbers: [0, 1, 2, 5] gives "0-2,5"."""
    parts: List[List[int]] = []
    for number in numbers:
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)


def kib_from_size(text: str) -> Optional[int]:
    """Return the KiB of a kernel cache size: "1024K" gives 1024, "32M" gives 32768."""
    match = re.fullmatch(r"([0-9]{1,12})([KM]?)", text)
    if match is None:
        return None
    return int(match.group(1)) * (1024 if match.group(2) == "M" else 1)
