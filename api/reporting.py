"""Reports: one HTML file about profiles and runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..reports.html.content.sources import Subject


def report(*subjects: Subject, out: str | Path = "report.html", force: bool = False) -> Path:
    """Write one HTML file about profiles and runs, given as values, files or folders, and return its path.

    It works without a network. A run's own profiles are found by their sha256 beside it, here, and among those that
    ship; other profiles of its space price it anew. Two profiles, or two runs, are compared. Raises
    ReportRefused for nothing to show, OutputUnusable, ModuleNotFoundError without jinja2, and the errors of
    `load_profile` and `load_run`.

    >>> path = gnomon.report("fashion_mnist/amd-epyc-2c.onnxruntime.fp32.b1.t1", out="profile.html")
    >>> path.read_text(encoding="utf-8")[:15]
    '<!doctype html>'
    """
    from ..reports.html.report import write_report

    return write_report(subjects, out, force=force)
