"""Numbers with a unit at the command line: `45m` of time, `3M` of a count. A number alone is seconds, or a count."""

from __future__ import annotations

import math
import re
from fractions import Fraction

import typer

SECONDS = {"": 1.0, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
TIMES = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9}
WRITTEN = re.compile(r"\s*([+-]?\d[\d_]*\.?\d*(?:[eE][+-]?\d+)?)\s*([a-zA-Z]*)\s*")


def seconds(written: str | float) -> float:
    """Read a length of time, as 90, 90s, 250ms, 45m or 1.5h; raises BadParameter."""
    if isinstance(written, (int, float)):
        return float(written)
    number, unit = parts_of(written)
    if number is None or unit not in SECONDS:
        raise typer.BadParameter(f"{written!r} is no length of time; expected seconds, or one such as 250ms, 45m, 1.5h")
    return number * SECONDS[unit]


def count(written: str | int) -> int:
    """Read a whole number, as 250, 20k or 3M; raises BadParameter."""
    if isinstance(written, int):
        return written
    number, unit = parts_of(written)
    is_known = number is not None and math.isfinite(number) and unit in TIMES
    found = exact(written) * TIMES[unit] if is_known else Fraction(1, 2)
    if found.denominator != 1:
        raise typer.BadParameter(f"{written!r} is no whole number; expected one such as 250, 20k or 3M")
    return int(found)


def exact(written: str) -> Fraction:
    """Return the number of text that begins with one, without rounding."""
    match = WRITTEN.fullmatch(written)
    return Fraction(match[1].replace("_", "")) if match else Fraction(0)


def parts_of(written: str) -> tuple[float | None, str]:
    """Return a number and its unit; no number for text that does not begin with one."""
    match = WRITTEN.fullmatch(written)
    return (float(match[1].replace("_", "")), match[2]) if match else (None, "")
