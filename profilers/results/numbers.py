"""Numbers as a results journal may hold them: anybody may have written it."""

from __future__ import annotations

from typing import Any

LARGEST = 1e300  # of a number, so that sums of some stay finite
MOST = 2**53  # of a count: whole numbers up to it are exact as floats too
SHORTEST_US, LONGEST_US = 1e-6, 1e12  # a picosecond and eleven days: no inference takes less or more


def number_from(value: Any) -> float:
    """Return a finite number; ValueError for anything else, text of a number too."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < LARGEST:
        raise ValueError(f"{value!r:.40} is no finite number")
    return float(value)


def integer_from(value: Any) -> int:
    """Return a whole number; ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or not abs(value) < MOST:
        raise ValueError(f"{value!r:.40} is no whole number below {MOST}")
    return value


def us_from(value: Any) -> float:
    """Return the microseconds of a run of something; ValueError for what none takes."""
    found = number_from(value)
    if not SHORTEST_US <= found <= LONGEST_US:
        raise ValueError(f"{found!r} is no time in microseconds; expected {SHORTEST_US:g} to {LONGEST_US:g}")
    return found
