"""The first thing that runs on a device, sent to its Python on standard input: is numpy there, is the worker?

So it has nothing but the standard library, and prints one line of JSON as the worker does. Whoever sends it puts the
text of `temporary.py` before it, and appends one call, of `look` or of `keep` (`script`).
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict

if TYPE_CHECKING:
    from ....temporary import replacing, sweep

FOLDER = "~/.cache/gnomon"
UNUSED_S = 30 * 86_400.0  # after which a worker of another version is removed; no run takes as long


def look(digest: str) -> None:
    """Print numpy's version and where the worker with that SHA-256 is stored; null for what is not there, and why.

    What a killed `keep` left is removed. A worker that is asked for counts as used now.
    """
    sys.path[:] = [path for path in sys.path if path]  # not what lies in the home folder
    try:
        import numpy as np
    except Exception as exc:
        _print({"event": "look", "numpy": None, "message": f"{type(exc).__name__}: {exc}"})
        return
    path = _path(digest)
    sweep(path.parent)
    is_whole = path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest
    if is_whole:
        with contextlib.suppress(OSError):
            path.touch()
    worker = str(path) if is_whole else None
    _print({"event": "look", "numpy": np.__version__, "worker": worker})


def keep(digest: str, encoded: str) -> None:
    """Store the worker with that SHA-256, given in Base64, remove those that nobody uses any more, and `look`."""
    path = _path(digest)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with replacing(path) as file:
            file.write(base64.b64decode(encoded))
    except OSError as exc:
        _print({"event": "error", "error": "DeviceUnfit", "message": f"The worker cannot be stored there: {exc}"})
        return
    _remove_unused(path.parent)
    look(digest)


def _remove_unused(folder: Path) -> None:
    """Remove workers that were not asked for in a long time, and what earlier versions left of uploads."""
    for worker in folder.glob("worker-*.pyz*"):
        with contextlib.suppress(OSError):
            if time.time() - worker.lstat().st_mtime > UNUSED_S:
                worker.unlink()


def _path(digest: str) -> Path:
    return Path(FOLDER).expanduser() / f"worker-{digest[:16]}.pyz"


def _print(event: Dict[str, Any]) -> None:
    print(json.dumps(event), flush=True)
