"""Sorts of kernels: what those have in common that are predicted from each other, or scaled alike."""

from __future__ import annotations

import re

from .cost import Cost

FIRST_TYPE = re.compile(r"\((?:x\d+|w\d+):([a-z0-9]+)\[")


def sort_of(operator: str, key: str, cost: Cost) -> str:
    """Return what kernels have in common that are predicted from each other."""
    found = FIRST_TYPE.search(key)
    domain = key.partition("{")[0].partition("(")[0].rpartition(":")[0]
    form = ""
    if cost.groups > 1:
        form = " depthwise" if abs(cost.reduction - cost.window) < 0.5 else " grouped"
    return f"{domain + ':' if domain else ''}{operator} {found.group(1) if found else ''}{form}"
