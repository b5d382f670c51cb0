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


def counted(n: int, noun: str, plural: str = "") -> str:
    """Write how many there are of something: 1 layer, 2 layers."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def interval(value: float, low: float, high: float) -> str:
    """Write a value with its interval."""
    return f"{number(value)} ({number(low)} to {number(high)})"
