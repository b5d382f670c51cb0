"""Whether Ctrl-C can reach this process.

Whoever starts a process may have it ignore SIGINT from the start, as a shell does for a job that its script runs in
the background, with nohup or without. Python then leaves the signal ignored, and Ctrl-C cannot end a run of hours.
"""

from __future__ import annotations

import os
import signal


def why_not_interruptible() -> str:
    """Return one sentence on why Ctrl-C cannot stop this process and what can; "" where Ctrl-C does."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        return ""
    return (
        f"Ctrl-C cannot stop this: SIGINT is ignored, as in the background of a shell script. To stop it: "
        f"kill {os.getpid()}; what was recorded is kept"
    )
