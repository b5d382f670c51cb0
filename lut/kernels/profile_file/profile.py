"""A kernel profile: what a file of measured kernels says of a device, and reading and writing such files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ....inputs import fault_of_file
from ....outputs import appearing, file_kind
from ....profilers.files import has_schema
from ....profilers.journal import checked_line
from ....profilers.results.processes import ProcessSpread
from ....profilers.run_config import RunConfig
from ....profilers.timing.measurement import Measurement
from ...errors import ProfileDamaged, UnknownProfile
from ...profile_file.schema import AnchorRecord
from ...profile_file.timeline import Timeline
from ...record import Record
from ..graph.cost import Cost
from .lines import digest_of, read_records
from .records import (
    SCHEMA,
    CallRecord,
    EndRecord,
    KernelHeader,
    KernelRecord,
    ModelRecord,
    SourceRecord,
)
from .transfer import KernelTransfer, SourceKernel

KERNEL_PROFILE = file_kind("a kernel profile", lambda path: has_schema(path, SCHEMA))
SHORTEST_US = 0.05  # a kernel that the clock cannot tell from the call of the runtime takes this, and never nothing


@dataclass(frozen=True)
class MeasuredKernel:
    """A kernel that was timed: one run of it takes `value_us` microseconds, of which `relative_iqr` is the spread.

    measurement: of its model, which runs it `copies` times after a call of the runtime; None where only the value is
    known. log_ratio: where it was scaled from another device, what the log of its error keeps to (one sigma); else 0.
    """

    key: str
    operator: str
    cost: Cost
    value_us: float
    relative_iqr: float
    measurement: Measurement | None = None
    copies: int = 1
    log_ratio: float = 0.0


@dataclass(frozen=True)
class MeasuredModel:
    """A whole model: how often each kernel runs in it, by digest, and its latency."""

    name: str
    calls: Mapping[str, int]
    added: Mapping[str, int]
    measurement: Measurement


@dataclass(frozen=True, repr=False)
class KernelProfile:
    """What a kernel-profile file holds, with the machine's drift removed; `kernels` by digest of their keys.

    `processes` says how far a second process was from the first; None with one, or without a probe. `transfer` says how
    kernels were scaled from another device's profile; None where all were measured.
    """

    name: str
    header: KernelHeader
    call_us: float
    kernels: Mapping[str, MeasuredKernel]
    models: tuple[MeasuredModel, ...]
    anchors: tuple[AnchorRecord, ...]
    processes: ProcessSpread | None = None
    transfer: KernelTransfer | None = None

    @property
    def measured(self) -> Mapping[str, MeasuredKernel]:
        """The kernels that were timed on this device, by digest."""
        return {digest: one for digest, one in self.kernels.items() if not one.log_ratio}

    @property
    def run_config(self) -> RunConfig:
        """The conditions that everything was timed under."""
        return RunConfig(**self.header.config.model_dump())

    @cached_property
    def runtime(self) -> str:
        """The runtime and its version, as kernels name whose graph they are of."""
        name = self.header.backend.partition(":")[0]
        return f"{name} {self.header.versions.get(name, '')}"


def load_kernel_profile(source: str | Path) -> KernelProfile:
    """Read a kernel profile; raises UnknownProfile, ProfileDamaged (which names the line)."""
    path = Path(source)
    if fault := fault_of_file(path):
        raise UnknownProfile(f"{path} {fault}; measure a kernel profile: gnomon profile --kernels --out {path}")
    return profile_from_records(path, read_records(path))


def profile_from_records(path: Path, records: Sequence[Record]) -> KernelProfile:
    """Return what the records of a file amount to; raises ProfileDamaged where they do not make a profile."""
    header, end = records[0], records[-1]
    kernels = [record for record in records if isinstance(record, KernelRecord)]
    models = [record for record in records if isinstance(record, ModelRecord)]
    calls = [record for record in records if isinstance(record, CallRecord)]
    anchors = tuple(record for record in records if isinstance(record, AnchorRecord))
    complete = isinstance(end, EndRecord) and (end.kernels, end.models) == (len(kernels), len(models))
    if not isinstance(header, KernelHeader) or not complete or len(calls) != 1:
        raise ProfileDamaged(
            f"{path}: expected a header, one call, {getattr(end, 'kernels', 'some')} kernels and the end record; found "
            f"{len(calls)} calls and {len(kernels)} kernels. The file is truncated: copy it again, or profile again"
        )
    timeline = Timeline.of(header.session_starts_s, anchors, has_clock=header.config.device == "cpu")
    evidence = timeline.read([record.timed for part in (calls, kernels, models) for record in part])
    found = evidence.measurements
    call_us = found[0].value_us
    measured = {
        record.timed.key: measured_kernel(record, measurement, call_us)
        for record, measurement in zip(kernels, found[1:])
    }
    transfer = transfer_from([record for record in records if isinstance(record, SourceRecord)], measured)
    return KernelProfile(
        name=path.name,
        header=header,
        call_us=call_us,
        kernels={**measured, **scaled_by(transfer, measured)},
        models=tuple(
            MeasuredModel(record.name, record.calls, record.added, measurement)
            for record, measurement in zip(models, found[1 + len(kernels) :])
        ),
        anchors=anchors,
        processes=evidence.processes,
        transfer=transfer,
    )


def transfer_from(records: Sequence[SourceRecord], measured: Mapping[str, MeasuredKernel]) -> KernelTransfer | None:
    """Return what kernels of another device tell of this one; None without any."""
    source = {
        digest_of(one.key): SourceKernel(one.key, one.operator, cost_of(one.key, one.cost), one.value_us)
        for one in records
    }
    return KernelTransfer(source, {digest: one.value_us for digest, one in measured.items()}) if source else None


def scaled_by(transfer: KernelTransfer | None, measured: Mapping[str, MeasuredKernel]) -> Mapping[str, MeasuredKernel]:
    """Return the kernels of the source that were not measured here, scaled, by digest."""
    found: dict[str, MeasuredKernel] = {}
    if transfer is None:
        return found
    for digest, one in transfer.source.items():
        if digest not in measured:
            value_us, doubt = max(SHORTEST_US, transfer.scaled_us(digest)), transfer.doubt(one.sort)
            found[digest] = MeasuredKernel(one.key, one.operator, one.cost, value_us, doubt, log_ratio=doubt)
    return found


def cost_of(key: str, told: Mapping[str, float]) -> Cost:
    """Return a kernel's quantities; raises ProfileDamaged for those of another version."""
    try:
        return Cost(**told)
    except TypeError as error:
        raise ProfileDamaged(f"kernel {key[:80]}: its quantities are not those of this version: {error}") from error


def measured_kernel(record: KernelRecord, measurement: Measurement, call_us: float) -> MeasuredKernel:
    """Return a kernel with its own time; raises ProfileDamaged for quantities that are not those of this version."""
    cost = cost_of(record.key, record.cost)
    value_us = own_us(measurement, call_us, record.copies)
    return MeasuredKernel(
        record.key, record.operator, cost, value_us, measurement.relative_iqr, measurement, record.copies
    )


def own_us(measurement: Measurement, call_us: float, copies: int) -> float:
    """Return a kernel's own microseconds: those of its model without the call of the runtime, over the copies."""
    return max(SHORTEST_US, (measurement.value_us - call_us) / copies)


def seal_kernels(path: Path, header: KernelHeader, records: Iterable[Record], *, force: bool) -> None:
    """Write a finished profile; raises OutputUnusable."""
    body = list(records)
    kernels, models = (sum(isinstance(one, kind) for one in body) for kind in (KernelRecord, ModelRecord))
    end = EndRecord(kernels=kernels, models=models)
    lines = [checked_line(one.model_dump(mode="json", by_alias=True)) for one in (header, *body, end)]
    with appearing(path, KERNEL_PROFILE, force=force) as fresh:
        fresh.write_bytes(b"".join(line + b"\n" for line in lines))
