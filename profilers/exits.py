"""The exit codes of the worker, for the worker and for whoever starts it."""

from __future__ import annotations

DONE = 0
USAGE = 2
FAILED = 3
INTERRUPTED = 130
