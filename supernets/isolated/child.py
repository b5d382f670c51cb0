"""The side that evaluates: loads a super-network and answers requests, a line of JSON each, until its input ends.

    python -m gnomon.supernets.isolated.child

Where memory runs out, the system ends this process before its parent; where its parent is gone, it ends with it.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import math
import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

from ..evaluation.deciding import TellsOutcomes
from ..evaluation.supernet import Supernet
from ..supernet import load_supernet
from .outcomes import json_from_outcomes

SET_PARENT_DEATH_SIGNAL = 1  # of Linux's prctl
MOST_SAID = 500  # characters


def main() -> None:
    """Load as the first line says, then answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, which then ends this process
    end_first()
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what runtimes print must not be taken for a reply
    supernet: Supernet | None = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if supernet is None:
                supernet, reply = load_supernet(**request), {}
            else:
                reply = answer(supernet, request)
        except Exception as error:  # an evaluation is anybody's code
            said = " ".join(f"{type(error).__name__}: {error}".split())[:MOST_SAID]
            unfit = getattr(error, "of_no_architecture", False)
            if unfit:
                said = " ".join(str(error).split())
            reply = {"error": type(error).__name__, "message": said, "of_no_architecture": unfit}
        print(json.dumps(reply), file=replies, flush=True)


def answer(supernet: Supernet, request: dict[str, Any]) -> dict[str, Any]:
    """Evaluate a sub-network, or tell its outcomes; raises ValueError for a value that is no finite number."""
    architecture, split = supernet.space.architecture(request["indices"]), request["split"]
    if "rows" in request:
        assert isinstance(supernet, TellsOutcomes)
        rows = None if request["rows"] is None else np.array(request["rows"], dtype=np.int64)
        outcomes = supernet.outcomes(architecture, split, rows, precision=request["precision"])
        return {"outcomes": json_from_outcomes(outcomes)}
    value = supernet.evaluate(architecture, split, request["share"], precision=request["precision"])
    if isinstance(value, (str, bytes, bool)) or not math.isfinite(value):
        raise ValueError(f"evaluating it returned {value!r}; expected a finite number")
    return {"value": float(value)}


def end_first() -> None:
    """Let the system end this process before others when memory runs out, and when its parent ends; where it can."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):
            ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


if __name__ == "__main__":
    main()
