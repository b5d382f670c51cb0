"""The first thing that runs on a device, sent to its Python on standard input: is numpy there, is the worker?

So it has nothing but the standard library, and prints one line of JSON as the worker does. Whoever sends it puts the
text of `temporary.py` before it, and appends one call, of `look` or of `keep` (`script`).
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict

if TYPE_CHECKING:
    from ....temporary import replacing, sweep

FOLDER = "~/.cache/gnomon"


def look(digest: str) -> None:
    """Print numpy's version and where the worker with that SHA-256 is stored; null for what is not there, and why.

    What a killed `keep` left is removed.
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
    worker = str(path) if is_whole else None
    _print({"event": "look", "numpy": np.__version__, "worker": worker})


def keep(digest: str, encoded: str) -> None:
    """Store the worker with that SHA-256, given in Base64, and `look`."""
    path = _path(digest)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with replacing(path) as file:
            file.write(base64.b64decode(encoded))
    except OSError as exc:
        _print({"event": "error", "error": "DeviceUnfit", "message": f"The worker cannot be stored there: {exc}"})
        return
    look(digest)


def _path(digest: str) -> Path:
    return Path(FOLDER).expanduser() / f"worker-{digest[:16]}.pyz"


def _print(event: Dict[str, Any]) -> None:
    print(json.dumps(event), flush=True)
