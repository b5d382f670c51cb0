"""Write one HTML file about profiles and runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from ...lut import HardwareProfile
from ...outputs import appearing, file_kind, require_free
from ...profilers.files import open_to_read
from ...search.runs.files.records import REPORT_MARK
from ...version import VERSION
from .content.compared import compared_profiles, compared_runs
from .content.profile import profile_content
from .content.provenance import origin_of_profile, origin_of_run, recipes_of_profile, recipes_of_run
from .content.run import run_content
from .content.sources import RunSubject, Subject, Subjects, opened
from .content.verdict import not_measured_in_profile, not_measured_in_run, profile_verdict, run_verdict
from .page import page_of

HEAD_BYTES = 4096


def is_ours(path: str | Path) -> bool:
    """Tell whether a file says that it is a report of Gnomon's; raises OSError."""
    with open_to_read(path) as file:
        return REPORT_MARK.encode() in file.read(HEAD_BYTES)


REPORT = file_kind("a report", is_ours)


def write_report(subjects: Sequence[Subject], path: str | Path, *, force: bool = False) -> Path:
    """Write a report about profiles and runs, values or where they lie, as one HTML file at `path`, and return it.

    Two profiles, or two runs, are compared besides. Raises ReportRefused for nothing to show, OutputUnusable,
    and the errors of reading.
    """
    path = Path(path)
    require_free(path, REPORT, force=force)
    text = html_of(opened(subjects), made=datetime.now(UTC))
    with appearing(path, REPORT, force=force) as fresh:
        fresh.write_text(text, encoding="utf-8")
    return path


def html_of(subjects: Subjects, *, made: datetime) -> str:
    """Return the report's page."""
    profiles, given = subjects.profiles, subjects.given
    runs = [run_content(subject, others_of(subject, given)) for subject in subjects.runs]
    contents = [profile_content(profile) for profile in profiles]
    compared = [compared_runs(a.run, b.run) for a, b in pairwise(subjects.runs)]
    compared += [compared_profiles(a, b) for a, b in pairwise(profiles) if a.header.space == b.header.space]
    named = [(str(s.run.folder), run_verdict(s), not_measured_in_run(s)) for s in subjects.runs]
    named += [(p.name, profile_verdict(p), not_measured_in_profile(p)) for p in profiles]
    content: dict[str, Any] = {
        "title": title_of(subjects),
        "made": made.strftime("%Y-%m-%d %H:%M UTC"),
        "version": VERSION,
        "verdicts": [(name, said) for name, said, _ in named],
        "not_measured": [(name, lines) for name, _, lines in named],
        "runs": runs,
        "profiles": contents,
        "compared": compared,
        "origins": [*map(origin_of_run, subjects.runs), *map(origin_of_profile, profiles)],
        "recipes": [
            *(recipe for subject in subjects.runs for recipe in recipes_of_run(subject)),
            *(recipe for profile in profiles for recipe in recipes_of_profile(profile)),
        ],
    }
    return page_of(content, {"runs": [run.data for run in runs], "profiles": [profile.data for profile in contents]})


def others_of(subject: RunSubject, given: Sequence[HardwareProfile]) -> list[HardwareProfile]:
    """Return the profiles given that are of the run's space and not its own: it can be priced under them."""
    own = {profile.digest for profile in subject.profiles}
    space = subject.run.config.space.partition(":")[0]
    return [p for p in given if p.digest not in own and p.header.space.partition(":")[0] == space]


def title_of(subjects: Subjects) -> str:
    """Return what the report is about, in a few words."""
    spaces = dict.fromkeys([s.run.config.space for s in subjects.runs] + [p.header.space for p in subjects.profiles])
    devices = dict.fromkeys(p.header.device for p in subjects.profiles)
    return f"{', '.join(spaces)} on {', '.join(devices)}" if devices else ", ".join(spaces)
