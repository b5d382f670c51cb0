"""What the processor that trains can do."""

from __future__ import annotations

from functools import cache
from pathlib import Path

BFLOAT16 = frozenset(("avx512_bf16", "amx_bf16", "bf16", "svebf16"))  # as the kernel's flags name them


@cache
def multiplies_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Tell whether the processor multiplies in bfloat16; True where the system does not say.

    A processor that does not is several times slower in bfloat16, which torch then emulates, than in float32.
    """
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").lower().splitlines()
    except OSError:
        return True
    named = [line.partition(":")[2].split() for line in lines if line.startswith(("flags", "features"))]
    return not named or any(BFLOAT16 & set(flags) for flags in named)
