"""The exit codes of the worker, for the worker and for whoever starts it."""

from __future__ import annotations

DONE = 0
USAGE = 2
FAILED = 3
GPU_LOST = 5  # to this process; the model in flight is recorded as a failure: start it again, as after a crash
HUNG = 6  # it was ended because a visit took longer than its limit: nobody is to blame yet, as after a kill
FRESH = 7  # this process made its share of the visits, and a new one is to go on: start it again
INTERRUPTED = 130
