"""How weights of int8 files are kept for a device: a property of its instructions, so a profile decides it.

A processor that adds products of 8-bit integers in 32 bits takes weights of 8 bits. One without such instructions adds
pairs of them in 16 bits, which saturate, unless weights have 7. An unknown processor gets 7, which is
correct everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...supernets.precision.kernels import FULL, REDUCED

DOT_PRODUCTS = frozenset(("avx_vnni", "avx512_vnni", "amx_int8", "asimddp", "i8mm"))  # as the kernel's flags name them
WITHOUT_LIMIT = frozenset(("gpu", "npu"))  # kinds of processors that add in 32 bits


def weight_bits_for(device: str, hardware: Mapping[str, Any]) -> int:
    """Return the bits of int8 weights for a kind of processor, as `RunConfig.device`, of a machine's fingerprint."""
    isa = hardware.get("isa")
    known = isa if isinstance(isa, (list, tuple)) else ()
    return FULL if device in WITHOUT_LIMIT or DOT_PRODUCTS.intersection(map(str, known)) else REDUCED
