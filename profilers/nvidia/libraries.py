"""Finds shared libraries where NVIDIA puts them: on the system's path, in a CUDA toolkit, inside pip packages."""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
from pathlib import Path
from typing import Iterator, Optional, Sequence


def open_first(names: Sequence[str], *, packaged: Sequence[str] = ()) -> Optional[ctypes.CDLL]:
    """Return the first library that loads, or None: ``names`` for the loader, ``packaged`` patterns below sys.path."""
    for candidate in _candidates(names, packaged):
        try:
            return ctypes.CDLL(candidate)
        except OSError:
            continue
    return None


def _candidates(names: Sequence[str], packaged: Sequence[str]) -> Iterator[str]:
    """Yield names and paths to try; the system's own search last, because it starts a compiler."""
    yield from names
    for folder in sys.path:
        for pattern in packaged:
            yield from sorted((str(path) for path in Path(folder or ".").glob(pattern)), reverse=True)
    bare = names[0].split(".")[0]
    found = ctypes.util.find_library(bare[3:] if bare.startswith("lib") else bare)
    if found:
        yield found
