"""Finds shared libraries where NVIDIA puts them: on the system's path, in a CUDA toolkit, inside pip packages."""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
from pathlib import Path
from typing import Iterator, Optional, Sequence, Tuple


def open_first(names: Sequence[str], *, packaged: Sequence[str] = ()) -> Optional[ctypes.CDLL]:
    """Return the first library that loads, or None: ``names`` for the loader, ``packaged`` patterns below sys.path."""
    for candidate in (*_found(names), *names, *_in_packages(packaged)):
        try:
            return ctypes.CDLL(candidate)
        except OSError:
            continue
    return None


def _found(names: Sequence[str]) -> Tuple[str, ...]:
    """Return what the system's own search finds first, under the bare name."""
    bare = names[0].split(".")[0]
    found = ctypes.util.find_library(bare[3:] if bare.startswith("lib") else bare)
    return (found,) if found else ()


def _in_packages(patterns: Sequence[str]) -> Iterator[str]:
    for folder in sys.path:
        for pattern in patterns:
            yield from sorted((str(path) for path in Path(folder or ".").glob(pattern)), reverse=True)
