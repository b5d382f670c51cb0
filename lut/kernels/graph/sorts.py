"""Sorts of kernels: what those have in common that are predicted from each other, or scaled alike."""

from __future__ import annotations

import re

from .cost import Cost

FUSING = "com.microsoft"  # where ONNX Runtime has operators that it fused an activation into
CONTENT = re.compile(r"=\([^()]*\)")
SIZES = re.compile(r"\[[\d,]*\]")
SIZED = re.compile(
    r"\b(kernel_shape|strides|pads|group|dilations|hidden_size|activation_params|alpha|beta|epsilon|split|size|bias)="
    r"[-\d.,e+]+"
)  # attributes whose numbers the quantities of a kernel tell, or that no time depends on
RECURRENT = re.compile(r"\b(?:[\w.]+:)?(?:DynamicQuantize)?(LSTM|GRU|RNN)\b")
FIRST_TYPE = re.compile(r"\((?:x\d+|w\d+):([a-z0-9]+)\[")


def sort_of(operator: str, key: str, cost: Cost) -> str:
    """Return what kernels have in common that are predicted from each other."""
    found = FIRST_TYPE.search(key)
    domain = key.partition("{")[0].partition("(")[0].rpartition(":")[0]
    if domain == FUSING and operator.startswith("Fused"):  # the same code as without an activation
        domain, operator = "", operator.removeprefix("Fused")
    form = ""
    if cost.groups > 1:
        form = " depthwise" if abs(cost.reduction - cost.window) < 0.5 else " grouped"
    form += "".join(f" {one}" for one in sorted(set(RECURRENT.findall(key))) if one not in operator)
    return f"{domain + ':' if domain else ''}{operator} {found.group(1) if found else ''}{form}"


def form_of(key: str) -> str:
    """Return a kernel's key without sizes: which operators with which activations and axes, on what with what."""
    return SIZED.sub(r"\1", SIZES.sub("", CONTENT.sub("", key)))
