"""Numbers as the report writes them."""

from __future__ import annotations

import math


def number(value: float) -> str:
    """Write a number with four digits that count, thousands apart, never as a power of ten unless it is huge or tiny.

    >>> number(15150.7), number(98.9412), number(0.0042), number(3.0)
    ('15,151', '98.94', '0.0042', '3')
    """
    if not math.isfinite(value):
        return "unknown"
    size = abs(value)
    if size >= 1e9 or 0 < size < 1e-4:
        return f"{value:.3g}"
    return f"{value:,.0f}" if size >= 1000 else f"{value:.4g}"


def short(value: float) -> str:
    """Write a number beside an axis: thousands, millions and billions by their letter.

    >>> short(2_500_000), short(15_400), short(950)
    ('2.5M', '15.4k', '950')
    """
    for from_, unit, letter in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(value) >= from_:
            return f"{value / unit:.6g}{letter}"
    return number(value)


def counted(n: int, noun: str, plural: str = "") -> str:
    """Write how many there are of something: 1 layer, 2 layers."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def interval(value: float, low: float, high: float) -> str:
    """Write a value with its interval."""
    return f"{number(value)} ({number(low)} to {number(high)})"
