"""Finds shared libraries where NVIDIA puts them: on the system's path, in a CUDA toolkit, inside pip packages."""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
from pathlib import Path
from typing import Iterator, Sequence


def open_each(names: Sequence[str], *, packaged: Sequence[str] = ()) -> Iterator[ctypes.CDLL]:
    """Yield every library that loads: by ``names`` for the loader, then by ``packaged`` patterns below sys.path."""
    for candidate in _candidates(names, packaged):
        try:
            yield ctypes.CDLL(candidate)
        except OSError:
            continue


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
