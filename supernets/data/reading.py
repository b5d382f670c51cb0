"""Reads the files of data sets: regular ones only, so that nothing is waited for, and never more than fits."""

from __future__ import annotations

import errno
import gzip
import io
import zlib
from pathlib import Path

from ...inputs import ABSENT, fault_of_file

LARGEST_BYTES = 1 << 33  # of an unpacked file; Fashion-MNIST's largest has 47 MB, WMT14's text 1.4 GB


def require_regular(path: Path) -> None:
    """Raise OSError for a folder, a named pipe or a device in a file's place; reading a pipe could wait for ever."""
    fault = fault_of_file(path)
    if fault and fault != ABSENT:
        raise OSError(errno.EINVAL, f"{fault}, and a regular file was expected", str(path))


def read_content(path: Path) -> bytes:
    """Return a file's content, unpacked where its name ends in .gz; raises OSError, for a damaged archive too."""
    require_regular(path)
    content = path.read_bytes()
    if path.suffix != ".gz":
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as archive:
            unpacked = archive.read(LARGEST_BYTES + 1)
    except (EOFError, zlib.error) as error:
        raise OSError(errno.EINVAL, f"its archive is damaged ({error})", str(path)) from error
    if len(unpacked) > LARGEST_BYTES:
        raise OSError(errno.EFBIG, f"unpacks to more than {LARGEST_BYTES} bytes", str(path))
    return unpacked
