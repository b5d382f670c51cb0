"""Merge profiles of one space that machines of one kind measured: every visit of each counts, as if one had made all.

The sessions of each stay sessions of the merged profile, one after the other on its clock, so the anchors tell by how
much one machine was faster than another, and that is divided out as the speed of any session is (`timeline.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ...outputs import require_free
from ...profilers.results.contention import probed_visits, summary_of_contention
from ...supernets import SearchSpace
from ...version import VERSION
from ..errors import LutError, ProfileMismatch
from ..latency_model.model import LatencyModel
from ..latency_model.table import LatencyTable
from ..latency_model.verification import session_log_ratio
from ..profile_file.profile import HardwareProfile
from ..profile_file.schema import (
    AnchorRecord,
    FailureRecord,
    LayerRecord,
    NetworkRecord,
    PriorRecord,
    ProfileContention,
    ProfileHeader,
    ProfileSource,
)
from ..profile_file.store import PROFILE, load_profile, read_records, seal, storable
from ..profile_file.timeline import CREDIBLE_PERCENT, Timeline
from ..record import Record

Timed = TypeVar("Timed", LayerRecord, NetworkRecord)

KIND = ("space", "space_digest", "backend", "config", "versions", "options", "hardware", "weight_bits")
HOW_LONG = ("seed", "time_cap_s", "min_passes", "max_passes", "relative_target", "settle_s", "clean_blocks")
OF_A_RUN = ("conditions",)  # what hardware says of the hours, and not of the machine


@dataclass(frozen=True)
class Part:
    """One of the profiles to merge: its records as its file has them."""

    name: str
    space: SearchSpace
    header: ProfileHeader
    records: tuple[Record, ...]

    @staticmethod
    def read(source: str | Path) -> Part:
        """Read a profile's file; raises UnknownProfile, ProfileDamaged, ProfileMismatch for what was not measured."""
        profile = load_profile(source)
        if profile.header.source.kind != "measured" or not profile.anchors:
            raise ProfileMismatch(
                f"{source} was {profile.header.source.kind}, with {len(profile.anchors)} visits to an anchor, which "
                "tell how fast its machine was; only measured profiles with anchors can be merged",
                fields=("source.kind",),
            )
        return Part(str(source), profile.space, profile.header, tuple(read_records(source)))

    @property
    def end_s(self) -> float:
        """When its last visit ended, on its own clock."""
        ends = [at_s for r in self.records if isinstance(r, (LayerRecord, NetworkRecord)) for at_s in r.at_s]
        return max([self.header.seconds, *ends])


def merge_profiles(sources: Sequence[str | Path], out: str | Path, *, force: bool = False) -> HardwareProfile:
    """Merge measured profiles, two at least, and write the result at `out`, with a fit to all of their networks.

    A layer or network that several measured has the visits of all that made it in blocks of as many inferences as the
    first of them did. Raises UnknownProfile, ProfileDamaged, OutputUnusable, LutError for fewer than two profiles and
    where too few networks can verify the result, ProfileMismatch, which names every field, for profiles of different
    kinds and for measurements that are in two of them.
    """
    out = Path(out)
    require_free(out, PROFILE, force=force)
    if len(sources) < 2:
        raise LutError(f"{len(sources)} profile was given to merge; it takes at least 2")
    parts = [Part.read(source) for source in sources]
    for part in parts[1:]:
        require_same_kind(parts[0], part)
    with storable("the merged profile"):
        write_merged(parts, out, force=force)
    return load_profile(out)


def require_same_kind(first: Part, other: Part) -> None:
    """Raise ProfileMismatch, naming the fields, unless both were measured alike on machines of one kind, but apart."""
    ours, theirs = kind_of(first), kind_of(other)
    differing = [name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name)]
    if differing:
        shown = "; ".join(f"{name}: {ours.get(name)!r} there, {theirs.get(name)!r} here" for name in differing)
        raise ProfileMismatch(
            f"{first.name} and {other.name} are not of one kind ({shown}); merge profiles of equal machines, runtimes "
            "and configurations, and compare others: gnomon lut diff",
            fields=tuple(differing),
        )
    shared = sorted(set(sessions_of(first)) & set(sessions_of(other)))
    if shared:
        raise ProfileMismatch(
            f"{first.name} and {other.name} hold the same session {shared[0]}, whose measurements would count twice; "
            "merge each profile once",
            fields=("session_starts_s",),
        )


def kind_of(part: Part) -> dict[str, object]:
    """Return what profiles must agree in, by dotted name."""
    content = part.header.model_dump(mode="json")
    found: dict[str, object] = {}
    for name in (*KIND, "policy"):
        value = content[name]
        if isinstance(value, Mapping):
            left_out = HOW_LONG if name == "policy" else OF_A_RUN
            found |= {f"{name}.{key}": item for key, item in value.items() if key not in left_out}
        else:
            found[name] = value
    return found


def sessions_of(part: Part) -> tuple[str, ...]:
    """Return the sessions that a profile's anchors and clock name."""
    visited = {record.session for record in part.records if isinstance(record, AnchorRecord)}
    return tuple(sorted(visited | set(part.header.session_starts_s)))


def write_merged(parts: Sequence[Part], out: Path, *, force: bool) -> None:
    """Join the records of all parts on one clock, fit, and seal."""
    begins_s, layers, networks = 0.0, dict[str, LayerRecord](), dict[str, NetworkRecord]()
    anchors: list[AnchorRecord] = []
    failures: dict[str, FailureRecord] = {}
    starts_s: dict[str, float] = {}
    for part in parts:
        for record in part.records:
            if isinstance(record, LayerRecord):
                join(layers, record.key, record, begins_s)
            elif isinstance(record, NetworkRecord):
                join(networks, record.id, record, begins_s)
            elif isinstance(record, AnchorRecord):
                anchors.append(record)
            elif isinstance(record, FailureRecord):
                failures.setdefault(record.key, record)
            elif isinstance(record, PriorRecord):
                raise ProfileMismatch(f"{part.name} has latencies of another device", fields=("prior",))
        starts_s |= {name: round(begins_s + at_s, 3) for name, at_s in part.header.session_starts_s.items()}
        begins_s += part.end_s
    failed = [record for key, record in failures.items() if key not in layers]
    timeline = Timeline.of(starts_s, anchors, has_clock=all(part.header.has_clock for part in parts))
    if timeline.speed.movement_percent > CREDIBLE_PERCENT:
        names = ", ".join(part.name for part in parts)
        raise ProfileMismatch(
            f"the anchors of {names} differ by {timeline.speed.movement_percent:.0f} %, "
            f"too much to divide out (at most {CREDIBLE_PERCENT:.0f} %); quieten the machines and profile again, or "
            "leave one out",
            fields=("anchors",),
        )
    space = parts[0].space
    runnable = [
        network
        for network in networks.values()
        if all(spec.key in layers for spec in space.layers(space.architecture(network.indices)))
    ]
    evidence = timeline.read([*layers.values(), *runnable])
    found = evidence.measurements
    table = LatencyTable(dict(zip(layers, found)), {record.key: record.reason for record in failed})
    rows, between = [network.indices for network in runnable], session_log_ratio(evidence.processes)
    model = LatencyModel.fit(space, table, rows, found[len(layers) :], between_sessions=between)
    visits = [v for number, record in enumerate(layers.values()) for v in timeline.visits(number, record)]
    summary = summary_of_contention(visits, probed_visits(visits)) if visits else None
    contention = None
    if summary is not None:
        contention = ProfileContention(
            time_share=round(summary.time_share, 4),
            slow_down=round(summary.slow_down, 4),
            spell_ms=round(summary.spell_ms, 3),
            disturbed_layers=sum(not layer.is_undisturbed for layer in found[: len(layers)]),
        )
    header = merged_header(parts, starts_s, contention)
    seal(out, header, [*layers.values(), *runnable, *anchors, *failed], model.report, force=force)


def merged_header(
    parts: Sequence[Part], starts_s: Mapping[str, float], contention: ProfileContention | None
) -> ProfileHeader:
    """Return the description of what all parts measured together."""
    first = parts[0].header
    plans = "".join(part.header.plan for part in parts)
    return first.model_copy(
        update={
            "version": ProfileHeader.model_fields["version"].default,
            "gnomon": VERSION,
            "hardware": {name: value for name, value in first.hardware.items() if name not in OF_A_RUN},
            "plan": hashlib.sha256(plans.encode()).hexdigest(),
            "created": min(part.header.created for part in parts),
            "sessions": sum(part.header.sessions for part in parts),
            "session_starts_s": dict(starts_s),
            "seconds": round(sum(part.header.seconds for part in parts), 1),
            "source": ProfileSource(name=f"{len(parts)} machines: {', '.join(Path(part.name).name for part in parts)}"),
            "contention": contention,
        }
    )


def join(into: dict[str, Timed], key: str, record: Timed, begins_s: float) -> None:
    """Add a record's visits, which its part made from `begins_s` on, to those of the same model.

    Left out are visits of other blocks than the first ones', or that lack what those have.
    """
    record = record.model_copy(update={"at_s": tuple(round(begins_s + at_s, 3) for at_s in record.at_s)})
    known = into.get(key)
    if known is None:
        into[key] = record
        return
    alike: list[Any] = [(r.loops, bool(r.at_s), bool(r.probe_us), bool(r.switches)) for r in (known, record)]
    if alike[0] == alike[1]:
        joined = ("block_us", "at_s", "probe_us", "switches")
        into[key] = known.model_copy(update={name: getattr(known, name) + getattr(record, name) for name in joined})
