"""Read the IDX format of MNIST and its relatives (http://yann.lecun.com/exdb/mnist, "file format")."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import DataUnavailable
from .reading import read_content

UNSIGNED_BYTE = 8


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Return the array in a plain or gzipped IDX file of bytes; raises DataUnavailable when it is none."""
    try:
        content = read_content(path)
    except OSError as error:
        raise DataUnavailable(f"cannot read {path}: {error}; run: gnomon data prepare fashion-mnist") from error
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != UNSIGNED_BYTE:
        raise DataUnavailable(f"{path} is not an IDX file of bytes: it starts with {content[:4]!r}")
    dimensions = content[3]
    shape = tuple(int(size) for size in np.frombuffer(content, ">u4", count=dimensions, offset=4))
    values = np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions)
    if values.size != int(np.prod(shape)):
        raise DataUnavailable(f"{path} is cut: its header says {shape}, {values.size} bytes follow")
    return values.reshape(shape)
