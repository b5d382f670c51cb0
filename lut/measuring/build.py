"""Measure a hardware profile: plan the models, run the plan, fit, verify, seal.

Beside every layer, whole sub-networks spread from the smallest to the largest are measured in the same run: they
correct the sum of layers, and they verify it. An interrupted run goes on where it stopped (`building.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...profilers.results.conditions import summary_of
from ...profilers.results.results import Results
from ...profilers.run_config import RunConfig
from ...profilers.timing.plan import PlannedModel, TimingPlan, write_plan
from ...profilers.timing.protocol import TimingPolicy
from ...profilers.transports.local import LocalDevice
from ...profilers.transports.transport import Transport
from ...settings import PROFILE as SETTINGS
from ...supernets import SearchSpace, load_space
from ...supernets.layers.registry import macs
from ...supernets.precision import is_calibrated
from ...version import VERSION
from ..errors import LutError
from ..latency_model.model import MIN_NETWORKS, LatencyModel
from ..latency_model.sampling import networks_for
from ..latency_model.table import LatencyTable, predicted_from
from ..latency_model.verification import session_log_ratio
from ..profile_file.profile import HardwareProfile
from ..profile_file.quantisation import weight_bits_for
from ..profile_file.schema import (
    ANCHOR,
    AnchorRecord,
    FailureRecord,
    LayerRecord,
    NetworkRecord,
    PriorRecord,
    ProfileConfig,
    ProfileHeader,
    ProfileSource,
)
from ..profile_file.store import PROFILE, SUFFIX, load_profile, seal, storable
from ..profile_file.timeline import Timeline
from ..record import Record
from .building import OnProgress, clear_finished, require_building, run_to_profile
from .evidence import contention_of, raw_records
from .networks import layer_model, network_parts, timed_model


@dataclass(frozen=True, slots=True)
class ProfileRequest:
    """What to measure: a space, on a backend, under a configuration; `networks` whole ones beside all layers.

    Without `layers` only the whole networks are measured, and their latencies regressed on physical quantities; or,
    with a `source`, corrected from what that profile of another device or configuration says of each layer.
    `weight_bits` are those of int8 weights; None: as the device that is measured takes them.
    """

    space: str
    backend: str
    config: RunConfig = field(default_factory=RunConfig)
    networks: int = SETTINGS["networks"].default
    layers: bool = True
    source: HardwareProfile | None = None
    policy: TimingPolicy = field(default_factory=TimingPolicy)
    seed: int = 0
    weight_bits: int | None = None

    def file_name(self, device: str) -> str:
        """Return the profile's file name on a device, which goes by its short name."""
        parts = (device, self.backend.replace(":", "-"), self.config.precision)
        return f"{'.'.join(parts)}.b{self.config.batch}.t{self.config.threads}{SUFFIX}"


def build_profile(
    request: ProfileRequest,
    out: str | Path,
    *,
    device: Transport | None = None,
    force: bool = False,
    on_progress: OnProgress | None = None,
) -> HardwareProfile:
    """Measure on `device` (None: this one) and write the profile at `out`, resuming an interrupted run of the request.

    Raises OutputUnusable, ProfileMismatch (an interrupted run of another request), LutError when too
    few networks can verify the table, and the errors of profilers, among them BackendUnavailable and
    EnvironmentChanged (an interrupted run of another runtime version or machine).
    """
    out, space = Path(out), load_space(request.space)
    device = device or LocalDevice()
    clear_finished(out, PROFILE)
    request = require_measurable(request, out, device, force=force)
    run_to_profile(
        out,
        PROFILE,
        device,
        plan=lambda building: plan_for(request, space, building),
        write=lambda plan, results: write_profile(request, space, plan, results, out, force=force),
        force=force,
        on_progress=on_progress,
    )
    return load_profile(out)


def require_measurable(request: ProfileRequest, out: Path, device: Transport, *, force: bool) -> ProfileRequest:
    """Return a request with the bits of int8 weights that the device takes; writes nothing.

    Raises what `build_profile` raises before it builds and measures anything.
    """
    space = load_space(request.space)
    if request.source is not None:
        request.source.table.require(request.source.space_named(request.space).unique_layers())
    device.require(request.backend)
    if is_calibrated(request.config.precision) and request.weight_bits is None:
        bits = weight_bits_for(request.config.device, device.hardware().to_json())
        request = replace(request, weight_bits=bits)
    available = len(rows_for(request, space))
    if available < MIN_NETWORKS:
        raise LutError(f"{available} whole networks would be measured; it takes {MIN_NETWORKS} to verify a profile")
    require_building(out, PROFILE, force=force)
    return request


def plan_for(request: ProfileRequest, space: SearchSpace, building: Path) -> TimingPlan:
    """Write the plan: all layers, the chosen networks, and a layer of middling size as the anchor, at its precision."""
    layers = space.unique_layers()
    anchor = sorted(layers, key=lambda spec: (macs(spec), spec.key))[len(layers) // 2]

    def models() -> Iterator[PlannedModel]:
        config, bits = request.config, request.weight_bits
        yield PlannedModel(ANCHOR + anchor.key, "anchor", layer_model(anchor, config, weight_bits=bits))
        for spec in layers if request.layers else ():
            yield PlannedModel(spec.key, "layer", layer_model(spec, config, weight_bits=bits))
        for row in rows_for(request, space):
            architecture = space.architecture(row)
            model = timed_model(network_parts(space, architecture, config, weight_bits=bits))
            yield PlannedModel(network_key(architecture.indices), "network", model)

    return write_plan(
        building / "plan", backend=request.backend, config=request.config, policy=request.policy, models=models()
    )


def rows_for(request: ProfileRequest, space: SearchSpace) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the whole networks that a request measures, (n, d)."""
    return networks_for(space, request.networks, np.random.default_rng(request.seed))


def network_key(indices: tuple[int, ...]) -> str:
    """Return a whole network's name in plans."""
    return "network:" + ",".join(str(index) for index in indices)


@storable("what was measured is no profile")
def write_profile(
    request: ProfileRequest, space: SearchSpace, plan: TimingPlan, results: Results, out: Path, *, force: bool = False
) -> None:
    """Turn a finished run's results into the sealed profile.

    A model that failed becomes a failure record. A network that runs a failed layer is left out: it has no sum.
    """
    measured, at_s, raw = results.measurements, results.at_s, raw_records(results)
    first, conditions = results.sessions[0], summary_of(results.conditions)
    layers = {spec.key: measured[spec.key] for spec in space.unique_layers() if spec.key in measured}
    indices = [
        tuple(int(i) for i in item.key.removeprefix("network:").split(","))
        for item in plan.items
        if item.role == "network" and item.key in measured
    ]
    if request.layers:
        indices = [row for row in indices if all(s.key in layers for s in {*space.layers(space.architecture(row))})]
    networks = [measured[network_key(row)] for row in indices]
    failures = {failure.key: failure.reason for failure in results.failures}
    if failures and len(networks) < MIN_NETWORKS:
        key, reason = next(iter(failures.items()))
        raise LutError(
            f"{len(failures)} of {len(plan.items)} models could not be timed, first {key} ({reason}); "
            f"{len(networks)} whole networks remain, and it takes {MIN_NETWORKS} to verify a profile"
        )
    source = request.source
    priors = {} if source is None else {s.key: source.table.value_us(s) for s in space.unique_layers()}
    records: list[Record] = [
        *(PriorRecord(key=key, value_us=round(us, 4)) for key, us in priors.items()),
        *(LayerRecord(key=key, at_s=at_s[key], **raw[key]) for key in layers),
        *(
            NetworkRecord(
                id=space.architecture(row).id, indices=row, at_s=at_s[network_key(row)], **raw[network_key(row)]
            )
            for row in indices
        ),
        *(
            AnchorRecord(
                key=anchor.key,
                session=anchor.session,
                t_s=anchor.t_s,
                value_us=round(anchor.value_us, 4),
                clean=anchor.clean,
            )
            for anchor in results.anchors
        ),
        *(FailureRecord(key=key, reason=reason) for key, reason in failures.items()),
    ]
    header = ProfileHeader(
        gnomon=VERSION,
        space=space.name,
        space_digest=space.digest,
        backend=request.backend,
        config=ProfileConfig(**request.config.to_json()),
        versions=dict(first.versions),
        options=dict(next((s.options for s in results.sessions if s.options), {})),
        device=first.hardware.slug_of(request.config.device),
        hardware={**first.hardware.to_json(), **({"conditions": conditions} if conditions else {})},
        policy=request.policy.to_json(),
        plan=plan.digest,
        created=first.started,
        sessions=len(results.sessions),
        session_starts_s=results.session_starts_s,
        seconds=round(results.seconds, 1),
        source=(
            ProfileSource()
            if source is None
            else ProfileSource(kind="transferred", name=source.name, sha256=source.digest)
        ),
        weight_bits=request.weight_bits,
        contention=contention_of(results, layers.values()),
    )
    anchors = [r for r in records if isinstance(r, AnchorRecord)]
    timeline = Timeline.of(header.session_starts_s, anchors, has_clock=header.has_clock)
    timed = [r for r in records if isinstance(r, (LayerRecord, NetworkRecord))]
    evidence = timeline.read(timed)
    corrected = {r.key: m for r, m in zip(timed, evidence.measurements) if isinstance(r, LayerRecord)}
    times = [m for r, m in zip(timed, evidence.measurements) if isinstance(r, NetworkRecord)]
    table = LatencyTable(corrected, failures, predicted_from(priors))
    model = LatencyModel.fit(space, table, indices, times, between_sessions=session_log_ratio(evidence.processes))
    seal(out, header, records, model.report, force=force)
