"""Lint a hardware profile: its table, and what only a profile knows (repeats, anchors, failures, environment)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...profilers.timing.measurement import Measurement, undisturbed
from ...supernets.errors import SupernetError
from ..errors import ProfileMismatch
from ..profile_file.checks import environment_differences
from ..profile_file.profile import HardwareProfile
from ..profile_file.schema import AnchorRecord
from .coverage import missing_layers, strange_layers
from .finding import Finding, Severity
from .table import lint_table

DISAGREEMENT = 1.10  # of anchors: half of the error that one published project's tables hid (x1.22 to x1.43)
FEWEST_VISITS = 8  # of an anchor, so that each end of a session has four


def lint_profile(profile: HardwareProfile) -> tuple[Finding, ...]:
    """Return what is wrong with a profile, errors first; refits nothing and times nothing."""
    header, measurements = profile.header, profile.table.measurements
    found = [
        *lint_table(
            {key: measurement.value_us for key, measurement in measurements.items()},
            spread_us={key: spread_us(measurement) for key, measurement in measurements.items()},
            device=header.config.device,
            precision=header.config.precision,
            threads=header.config.threads,
        ),
        *anchors_disagree(profile.anchors, "warning" if header.session_starts_s else "error"),
        *space_findings(profile),
        *stale_runtime(profile),
    ]
    return tuple(sorted(found, key=lambda finding: finding.severity))


def spread_us(measurement: Measurement) -> float:
    """Return how far two halves of a layer's visits lie apart, in microseconds; zero with a single visit."""
    first, second = measurement.split_half_us() or (0.0, 0.0)
    return abs(first - second)


def anchors_disagree(anchors: Sequence[AnchorRecord], severity: Severity) -> Iterator[Finding]:
    """Find sessions between which, or within which, the machine changed its speed by more than 10 %.

    An error where visits have no times, so that the change is still in the table; else it was divided out on reading.
    """
    sessions: dict[tuple[str, str], list[AnchorRecord]] = {}
    for anchor in anchors:
        sessions.setdefault((anchor.key, anchor.session), []).append(anchor)
    values = {name: [a.value_us for a in sorted(some, key=lambda a: a.t_s)] for name, some in sessions.items()}
    for key in dict.fromkeys(key for key, _ in values):
        levels = {session: undisturbed(us) for (of, session), us in values.items() if of == key}
        quick, slow = min(levels, key=lambda name: levels[name]), max(levels, key=lambda name: levels[name])
        if levels[slow] > DISAGREEMENT * levels[quick]:
            text = (
                f"the anchor took {levels[quick]:.4g} us in session {quick} and {levels[slow]:.4g} us in session "
                f"{slow} (x{levels[slow] / levels[quick]:.2f}); its layers are not comparable: profile in one session"
            )
            yield Finding(severity, "anchors_disagree", text, (key,))
    for (key, session), us in values.items():
        if len(us) < FEWEST_VISITS:
            continue
        quarter = len(us) // 4 if len(us) >= 3 * 4 else len(us) // 2
        start, end = undisturbed(us[:quarter]), undisturbed(us[-quarter:])
        if max(start, end) > DISAGREEMENT * min(start, end):
            text = (
                f"the anchor took {start:.4g} us at the start of session {session} and {end:.4g} us at its end "
                f"(x{end / start:.2f}); the machine changed its speed: quieten it, profile again"
            )
            yield Finding(severity, "anchors_disagree", text, (key,))


def space_findings(profile: HardwareProfile) -> Iterator[Finding]:
    """Find what does not fit the installed space: another version of it, layers without a time, layers too many."""
    try:
        space = profile.space
    except (ProfileMismatch, SupernetError) as error:
        yield Finding("error", "other_space", str(error))
        return
    priced = {*profile.table.measurements, *profile.table.predicted}  # a transferred profile predicts its layers
    yield from missing_layers(space, priced, failures=profile.table.failures)
    yield from strange_layers(space, tuple(profile.table.measurements))
    layers = {spec.key for spec in space.unique_layers()}
    failed = {key: why for key, why in profile.table.failures.items() if key not in layers}
    for key, reason in list(failed.items())[:1]:
        text = f"{len(failed)} models other than layers could not be timed, first {key} ({reason})"
        yield Finding("warning", "failures", text, tuple(failed))


def stale_runtime(profile: HardwareProfile) -> Iterator[Finding]:
    """Find how the environment here differs from the profile's."""
    differences = environment_differences(profile)
    if differences:
        text = f"{'; '.join(differences)}. Times here may differ: profile again, or compare with gnomon lut diff"
        yield Finding("warning", "environment", text)
