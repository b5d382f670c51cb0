"""Measure a kernel profile: sample networks, ask the runtime for their kernels, time kernels and whole networks.

It is the path of a hardware profile: one plan, one worker, one journal, so it resumes, waits for clean blocks and is
corrected for drift alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from ....profilers.results.results import Results
from ....profilers.run_config import RunConfig
from ....profilers.timing.plan import TimingPlan, write_plan
from ....profilers.timing.protocol import TimingPolicy
from ....profilers.transports.local import LocalDevice
from ....profilers.transports.transport import Transport
from ....version import VERSION
from ...errors import LutError
from ...measuring.building import OnProgress, clear_finished, require_building, run_to_profile
from ...measuring.evidence import contention_of, raw_records
from ...profile_file.schema import AnchorRecord, FailureRecord, LayerRecord, ProfileConfig, ProfileSource
from ...profile_file.store import storable
from ...record import Record
from ..graph.named import named
from ..profile_file.lines import CALL, MODEL
from ..profile_file.profile import KERNEL_PROFILE, KernelProfile, load_kernel_profile, seal_kernels
from ..profile_file.records import CallRecord, KernelHeader, KernelRecord, ModelRecord, SourceRecord
from ..profile_file.transfer import SourceKernel, designed
from ..sample import images, pieces, sequences
from .graphs import graphs_of, kernels_in
from .planned import PIECES, KernelPlan, plan_of_kernels, planned

SUFFIX = ".kernels.jsonl"
SAMPLES = 10  # networks measured whole where other kernels are scaled: what it takes to verify
NETWORKS = 33  # sampled by default: each family three times
NETWORKS_A_PIECE = 6  # networks for each round of single operators
NOTHING: Mapping[str, SourceKernel] = {}
FAMILIES = (*images.FAMILIES, *sequences.FAMILIES)


@dataclass(frozen=True, slots=True)
class KernelRequest:
    """What to measure: the kernels of `networks` sampled ones, and these whole, on a backend.

    For every six networks, kernels of single operators are measured too (`pieces.py`), which is not timed whole.
    `further` are ONNX models, by name, whose kernels are measured besides; their nodes are named (`named.py`). With a
    `source`, another device's profile, a few kernels of each sort are measured, and `samples` networks whole; the other
    kernels are scaled from the source (`transfer.py`).
    """

    backend: str
    config: RunConfig = field(default_factory=RunConfig)
    networks: int = NETWORKS
    policy: TimingPolicy = field(
        default_factory=lambda: TimingPolicy(min_passes=4, clean_blocks=16, processes=2, time_cap_s=300.0)
    )
    seed: int = 0
    further: Mapping[str, bytes] = field(default_factory=dict)
    source: KernelProfile | None = None
    samples: int = SAMPLES

    def file_name(self, device: str) -> str:
        """Return the profile's file name on a device, which goes by its short name."""
        return f"{device}.{self.backend.replace(':', '-')}.t{self.config.threads}{SUFFIX}"

    @property
    def models(self) -> dict[str, bytes]:
        """The sampled networks by name, the further ones, and the graphs that only kernels are taken from."""
        found = dict(self.further)
        for number in range(self.networks):
            family = FAMILIES[number % len(FAMILIES)]
            rng = np.random.default_rng([self.seed, number])
            found[f"{family.__name__}-{number // len(FAMILIES)}"] = named(family(rng))
        for number in range(self.networks // NETWORKS_A_PIECE):
            for at, family in enumerate(pieces.FAMILIES):
                rng = np.random.default_rng([self.seed, number, at])
                found[f"{PIECES}{family.__name__}-{number}"] = named(family(rng))
        return found


def build_kernel_profile(
    request: KernelRequest,
    out: str | Path,
    *,
    device: Transport | None = None,
    force: bool = False,
    on_progress: OnProgress | None = None,
) -> KernelProfile:
    """Measure on `device` (None: this one) and write the profile at `out`, resuming an interrupted run of the request.

    Raises OutputUnusable, ProfileMismatch (an interrupted run of another request), LutError where there is no kernel
    to time or the runtime's call could not be timed, and the errors of profilers, among them GraphUnavailable for a
    backend that does not tell its kernels.
    """
    out = Path(out)
    device = device or LocalDevice()
    clear_finished(out, KERNEL_PROFILE)
    require_measurable(request, out, device, force=force)
    models = request.models
    graphs = graphs_of(models, request.backend, request.config, device)
    kernels, source = kernels_in(graphs), source_of(request)
    chosen = {digest: kernels[digest] for digest in kernels if digest in designed(source, kernels)}
    if source and not chosen.keys() & source.keys():
        raise LutError(
            f"{request.backend} there makes no kernel that the source has, so nothing can be scaled; measure all: "
            f"leave the source out"
        )
    whole = dict(list(models.items())[: request.samples]) if source else models

    def plan(building: Path) -> TimingPlan:
        return write_plan(
            building / "plan",
            backend=request.backend,
            config=request.config,
            policy=request.policy,
            models=planned(chosen, whole),
        )

    def write(plan: TimingPlan, results: Results) -> None:
        header = header_of(request, results, plan.digest)
        records = records_of(results, plan_of_kernels(kernels, graphs), source)
        seal_kernels(out, header, records, force=force)

    run_to_profile(out, KERNEL_PROFILE, device, plan=plan, write=write, force=force, on_progress=on_progress)
    return load_kernel_profile(out)


def require_measurable(request: KernelRequest, out: Path, device: Transport, *, force: bool) -> None:
    """Raise what `build_kernel_profile` raises before the runtime is asked for graphs; writes nothing."""
    device.require(request.backend)
    require_building(out, KERNEL_PROFILE, force=force)


def source_of(request: KernelRequest) -> dict[str, SourceKernel]:
    """Return the kernels that the source of a request measured itself, by digest; none without a source."""
    known = {} if request.source is None else request.source.measured
    return {digest: SourceKernel(one.key, one.operator, one.cost, one.value_us) for digest, one in known.items()}


def header_of(request: KernelRequest, results: Results, plan: str) -> KernelHeader:
    """Return the header of a finished run."""
    first = results.sessions[0]
    return KernelHeader(
        gnomon=VERSION,
        backend=request.backend,
        config=ProfileConfig(**request.config.to_json()),
        versions=dict(first.versions),
        options=dict(next((one.options for one in results.sessions if one.options), {})),
        device=first.hardware.slug_of(request.config.device),
        hardware=first.hardware.to_json(),
        policy=request.policy.to_json(),
        plan=plan,
        created=first.started,
        sessions=len(results.sessions),
        session_starts_s=results.session_starts_s,
        seconds=round(results.seconds, 1),
        contention=contention_of(results, results.measurements.values()),
        source=None if request.source is None else ProfileSource(kind="transferred", name=request.source.name),
    )


@storable("what was measured is no kernel profile")
def records_of(results: Results, plan: KernelPlan, source: Mapping[str, SourceKernel] = NOTHING) -> tuple[Record, ...]:
    """Return the records of a finished run, but header and end; raises LutError where the call could not be timed.

    A kernel that failed is a failure record, and the models that run it are left out: they have no sum. Kernels of the
    `source` have a time, by digest, also where they were not measured.
    """
    measured, at_s, raw = results.measurements, results.at_s, raw_records(results)
    if CALL not in measured:
        raise LutError(f"the call of the runtime could not be timed: {[one.reason for one in results.failures][:1]}")

    def timed(key: str) -> LayerRecord:
        return LayerRecord(key=key, at_s=at_s[key], **raw[key])

    found: list[Record] = [CallRecord(timed=timed(CALL))]
    for digest, kernel in plan.kernels.items():
        if digest in measured:
            found.append(KernelRecord(**kernel.model_dump(), timed=timed(digest)))
    for name, model in plan.models.items():
        if MODEL + name in measured and all(digest in measured or digest in source for digest in model.calls):
            found.append(ModelRecord(name=name, **model.model_dump(), timed=timed(MODEL + name)))
    for other in source.values():
        found.append(
            SourceRecord(
                key=other.key, operator=other.operator, cost=asdict(other.cost), value_us=round(other.value_us, 4)
            )
        )
    for one in results.anchors:
        found.append(
            AnchorRecord(
                key=one.key, session=one.session, t_s=one.t_s, value_us=round(one.value_us, 4), clean=one.clean
            )
        )
    return (*found, *(FailureRecord(key=one.key, reason=one.reason) for one in results.failures))
