"""This package as one file that runs plans on a device: a zip application for Python 3.8 with numpy and a runtime."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Iterator, Tuple

from ..runtimes.requirements import PYTHON

PACKAGE = Path(__file__).parents[1]
BESIDE = "temporary.py"  # what stands beside the package and belongs to it, as all packages need it
ROOT = "gnomon"  # relative imports of the package work under any name; errors and processes read better under this one
MAIN = f"""import sys

if sys.version_info < {PYTHON}:  # said in words that Python 2 understands too
    sys.exit("this needs Python %d.%d or newer, and was started by Python %d.%d" % ({PYTHON} + sys.version_info[:2]))

from gnomon.profilers.transports.bundle_device import main

sys.exit(main())
""".encode()
SHEBANG = b"#!/usr/bin/env python3\n"
LONG_AGO = (2000, 1, 1, 0, 0, 0)  # of every file inside, so that equal code gives equal bytes


def worker_archive() -> bytes:
    """Return the package as a zip application, whose command line is that of `device.py`. Equal code, equal bytes."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (("__main__.py", MAIN), (f"{ROOT}/__init__.py", b""), *_files()):
            archive.writestr(zipfile.ZipInfo(name, LONG_AGO), content, zipfile.ZIP_DEFLATED)
    return SHEBANG + held.getvalue()


def _files() -> Iterator[Tuple[str, bytes]]:
    """Yield every module that a device needs; what tests need stays here."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if not path.name.startswith("testing"):
            yield f"{ROOT}/profilers/{path.relative_to(PACKAGE).as_posix()}", path.read_bytes()
    yield f"{ROOT}/{BESIDE}", PACKAGE.with_name(BESIDE).read_bytes()
