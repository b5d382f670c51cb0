"""The verdict on what a report is about, and what was not measured."""

from __future__ import annotations

from ....errors import GnomonError
from ....lut import HardwareProfile
from ....search.errors import SearchError
from ..drawing.numbers import counted, number
from .sources import RunSubject


def run_verdict(subject: RunSubject) -> str:
    """Say in a sentence what a run found."""
    run = subject.run
    try:
        front = run.front()
    except SearchError as error:
        return str(error)
    ranges = []
    for n, objective in enumerate(run.objectives):
        column = [values[n] for values in front.values]
        ranges.append(f"{objective.name} {number(min(column))} to {number(max(column))} {objective.unit}")
    knee = dict(zip(front.ids, front.values))[front.knee().id]
    at = ", ".join(f"{number(value)} {objective.unit}" for value, objective in zip(knee, run.objectives))
    said = (
        f"{len(front.ids)} of {counted(len(run.measured), 'measured network')} are on the front: {'; '.join(ranges)}. "
    )
    said += f"Its knee is {front.knee().id} ({at})."
    if subject.final is not None:
        stay = [standing.on_front for standing in subject.final.standings].count(True)
        said += (
            f" {stay} of {len(subject.final.members)} members stay on it by {subject.final.header.report_split} data."
        )
    return said


def profile_verdict(profile: HardwareProfile) -> str:
    """Say in a sentence how far a profile can be trusted."""
    try:
        said = profile.latency.report.sentence()
        return f"{capital(profile.quality)}: {said}. {capital(profile.quality_reason)}."
    except GnomonError as error:
        return str(error)


def capital(text: str) -> str:
    """Begin a sentence."""
    return text[:1].upper() + text[1:]


def not_measured_in_run(subject: RunSubject) -> list[str]:
    """Say what nobody measured of a run's networks, and what of that a verb would."""
    run, final, said = subject.run, subject.final, []
    costly = ", ".join(o.name for o in run.objectives if o.name.partition("@")[0] not in ("latency", "macs", "params"))
    latencies = [q.name for q in run.header.quantities if q.name.partition("@")[0] == "latency"]
    if final is None:
        if costly:
            said.append(
                f"{costly} on data that the search did not use: a "
                "front picks what its own split flatters (gnomon finish)"
            )
        if latencies:
            said.append(
                f"{', '.join(latencies)} of these networks on the device: every value is predicted from the "
                "profile (gnomon finish)"
            )
    elif latencies and final.header.not_timed:
        said.append(f"latency of the front: it stays predicted, as {final.header.not_timed}")
    if subject.missing:
        said.append(
            f"intervals and layers of the latencies: the profile {', '.join(subject.missing)} was not "
            "found; name it too"
        )
    if run.failures:
        said.append(f"{counted(len(run.failures), 'network')} that failed")
    in_part = {evaluation.indices for evaluation in run.partial_evaluations}
    in_part -= {evaluation.indices for evaluation in run.evaluations if evaluation.is_full}
    if in_part:
        front = run.front_ids()
        n = sum(member.share < 1.0 for member in run.measured if member.architecture.id in front)
        on_front = f"{n} of these {'is' if n == 1 else 'are'} on the front" if n else "none of these is on the front"
        finish = " (gnomon finish validates it in full)" if n and final is None else ""
        said.append(f"all examples of {counted(len(in_part), 'network')}, evaluated in part: {on_front}{finish}")
    unasked = [
        name for name in ("memory", "energy") if name not in {q.name.partition("@")[0] for q in run.header.quantities}
    ]
    if unasked:
        said.append(f"{' and '.join(unasked)}: the search was not asked for {'it' if len(unasked) == 1 else 'them'}")
    return said


def not_measured_in_profile(profile: HardwareProfile) -> list[str]:
    """Say what a profile does not know."""
    said, header = [], profile.header
    if header.source.kind != "measured":
        said.append(f"its layers: they were {header.source.kind} from {header.source.name}")
    if not profile.networks:
        said.append("any whole network: nothing verified the sum of the layers")
    if profile.table.failures:
        said.append(f"{counted(len(profile.table.failures), 'layer')} that could not be timed")
    if profile.table.predicted:
        said.append(f"{counted(len(profile.table.predicted), 'layer')} that are predicted from others")
    if header.contention is None:
        said.append("how busy the core was at each block: no probe was read")
    elif profile.never_clean_layers:
        said.append(
            f"{counted(profile.never_clean_layers, 'layer')} without a neighbour on the core: their times are corrected"
        )
    said.append(
        f"anything but {header.config.precision}, batch {header.config.batch}, "
        f"{counted(header.config.threads, 'thread')}; memory, energy, other processes beside it"
    )
    return said
