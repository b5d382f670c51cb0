"""Time the members of a final front as whole exported networks, interleaved, beside the profile's anchor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ...lut import (
    HardwareProfile,
    NotVerified,
    RemeasuredTogether,
    application_with,
    measure_models,
    pause_factor,
)
from ...profilers.errors import PlanDamaged, PlanMismatch
from ...profilers.results.application import SeenByApplication
from ...profilers.timing.application import Application
from ...profilers.timing.measurement import Measurement
from ...profilers.transports.transport import Transport
from ...supernets.space.space import Architecture
from ...temporary import discard
from ..deployments.models import exported
from ..problem.supernet import SearchableSupernet
from ..runs.files.records import TIMING_FOLDER
from .records import FinalHeader, PauseRatio, Record, Seen, SpeedRatio, Timing, Validation


def timings(
    folder: Path,
    members: Sequence[Validation],
    recorded: Sequence[Record],
    supernet: SearchableSupernet | None,
    profile: HardwareProfile,
    header: FinalHeader,
    on_step: Callable[[str], None],
    device: Transport | None = None,
) -> Iterator[SpeedRatio | Timing]:
    """Yield the pace and the timings that are not `recorded` yet; predictions alone when the `header` says why.

    Raises the errors of lut and profilers; an interruption is gone on from in the folder's TIMING_FOLDER.
    """
    timed = {record.id for record in recorded if isinstance(record, Timing)}
    paced = any(isinstance(record, SpeedRatio) for record in recorded)
    missing = [member for member in members if member.id not in timed]
    if not missing:
        return
    together: RemeasuredTogether | None = None
    if header.not_timed is None:
        on_step(f"timing {len(members)} networks in {profile.header.backend}, interleaved")
        application = application_with(header.period_ms)
        together = timed_together(folder / TIMING_FOLDER, members, supernet, profile, application, on_step, device)
        if not paced:
            yield SpeedRatio(anchor_ratio=together.anchor_ratio)
    for member in missing:
        yield timing_of(member, member.search[header.latency], profile, together)


def timed_together(
    building: Path,
    members: Sequence[Validation],
    supernet: SearchableSupernet | None,
    profile: HardwareProfile,
    application: Application,
    on_step: Callable[[str], None],
    device: Transport | None = None,
) -> RemeasuredTogether:
    """Time all members, or go on where an interrupted call stopped.

    When the networks exported now are not to the byte those of that call, or its plan cannot be read, it starts over.
    """
    models = {
        member.id: exported(Architecture(profile.space.name, member.indices), supernet, profile) for member in members
    }

    def measured() -> RemeasuredTogether:
        return measure_models(
            profile, models, application=application, device=device, building=building, on_wait=on_step
        )

    try:
        return measured()
    except (PlanMismatch, PlanDamaged):
        discard(building)
        return measured()


def timing_of(
    member: Validation, predicted_us: float, profile: HardwareProfile, together: RemeasuredTogether | None
) -> Timing:
    """Return a member's record: the latency that the search believed, its interval, and what was measured."""
    try:
        ratio = float(profile.latency.predict([member.indices]).ratio[0])
    except NotVerified:
        ratio = None
    timing = Timing(
        id=member.id,
        predicted_us=predicted_us,
        low_us=None if ratio is None else predicted_us / ratio,
        high_us=None if ratio is None else predicted_us * ratio,
    )
    if together is None:
        return timing
    measurement = together.measurements.get(member.id)
    if measurement is None:
        return timing.model_copy(update={"failed": together.failures.get(member.id, "it got no visit in time")})
    return timing.model_copy(
        update={
            "measured_us": measurement.value_us,
            "loops": measurement.loops,
            "block_us": measurement.block_us,
            "seen": seen_of(measurement, together.seen.get(member.id)),
        }
    )


def seen_of(hot: Measurement, seen: SeenByApplication | None) -> Seen | None:
    """Return what an application sees of a member as a record; None where that could not be timed."""
    if seen is None:
        return None
    start = Seen(load_ms=seen.typical_load_ms, first_us=seen.typical_first_us, loads=len(seen.load_ms))
    if seen.paced is None:
        return start
    factor = pause_factor(hot, seen.paced)
    return start.model_copy(
        update={
            "paced_us": seen.paced.value_us,
            "paced_block_us": seen.paced.block_us,
            "late_share": seen.late_share,
            "factor": PauseRatio(ratio=factor.ratio, low=factor.low, high=factor.high),
        }
    )
