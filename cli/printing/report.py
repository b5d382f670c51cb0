"""How verbs write an HTML report beside what they made: a verb that did its work does not fail by its report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..wording import as_options
from .progress import say

if TYPE_CHECKING:
    from ...reports.html.content.sources import Subject


def print_report(path: Path, *subjects: Subject) -> None:
    """Write a report, replacing an earlier one, and print where it is; says on stderr why there is none."""
    from ...api import report
    from ...supernets.packages import install_command

    try:
        print(f"report   {report(*subjects, out=path, force=True)}")
    except ModuleNotFoundError as error:
        say(f"no report: it needs {error.name}, which is not installed: {install_command(error.name or '')}")
    except Exception as error:  # whatever it is, what the verb was asked for is on disk
        say(as_options(f"no report: {error}"))
