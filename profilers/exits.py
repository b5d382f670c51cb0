"""The exit codes of the worker, for the worker and for whoever starts it."""

from __future__ import annotations

DONE = 0
USAGE = 2
FAILED = 3
GPU_LOST = 5  # to this process; the model in flight is recorded as a failure: start it again, as after a crash
HUNG = 6  # it was ended because a visit took longer than its limit: nobody is to blame yet, as after a kill
FRESH = 7  # everything is measured, and a new process is to measure some of it again: start it again
INTERRUPTED = 130
