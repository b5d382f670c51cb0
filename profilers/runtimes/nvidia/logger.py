"""TensorRT's log, kept instead of printed: its errors are the only place that says why a build failed."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any, List

KEPT = 20  # messages of a kind; a build that fails can repeat itself
SOURCE_PLACE = re.compile(r" ?In [^\s(]+ at \S+:\d+")  # where in TensorRT's own source; of use to its makers only


class Log:
    """The first ``warnings`` and ``errors`` that TensorRT reported since `clear`."""

    def __init__(self) -> None:
        self.errors: List[str] = []
        self.warnings: List[str] = []

    def clear(self) -> None:
        """Forget everything."""
        self.errors.clear()
        self.warnings.clear()

    def reasons(self) -> str:
        """Return the errors as one sentence."""
        return "; ".join(self.errors) or "TensorRT gave no reason"


def logger_into(log: Log, runtime: ModuleType) -> Any:
    """Return a logger of TensorRT's own kind that fills ``log``; it must outlive whatever was made with it."""
    base: Any = runtime.ILogger

    class Logger(base):  # type: ignore[misc]  # the base class exists only once TensorRT is imported
        def __init__(self) -> None:
            base.__init__(self)  # its makers want the base initialised by name

        def log(self, severity: Any, message: str) -> None:
            if severity not in (base.ERROR, base.INTERNAL_ERROR, base.WARNING):
                return
            kept = log.warnings if severity == base.WARNING else log.errors
            if len(kept) < KEPT:
                kept.append(SOURCE_PLACE.sub("", message))

    return Logger()
