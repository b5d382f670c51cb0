"""Measure a kernel profile: sample networks, ask the runtime for their kernels, time kernels and whole networks.

It is the path of a hardware profile: one plan, one worker, one journal, so it resumes, waits for clean blocks and is
corrected for drift alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from ...outputs import require_free
from ...profilers.results.results import Results
from ...profilers.run_config import RunConfig
from ...profilers.runtimes.graphs.asking import read_fused_graphs
from ...profilers.runtimes.registry import load_backend
from ...profilers.timing.plan import PlannedModel, TimingPlan, write_plan
from ...profilers.timing.protocol import TimingPolicy
from ...profilers.transports.local import LocalDevice
from ...profilers.transports.transport import Transport
from ...version import VERSION
from ..errors import LutError
from ..measuring.building import OnProgress, run_to_profile
from ..measuring.evidence import contention_of, raw_records
from ..profile_file.schema import AnchorRecord, FailureRecord, LayerRecord, ProfileConfig
from ..profile_file.store import storable
from ..record import Record
from .cutting import KernelGraph, kernels_of
from .kernel import Kernel, copies_of, kernel_model
from .named import named
from .profile import KERNEL_PROFILE, KernelProfile, digest_of, load_kernel_profile, seal_kernels
from .records import CallRecord, KernelHeader, KernelRecord, ModelRecord
from .sample import images, sequences

CALL = "call"  # the key, in plans, of the model that does next to nothing
MODEL = "model:"  # begins the key of a whole model
ANCHOR = "anchor:"
NETWORKS = 30  # sampled by default: each family three times
FAMILIES = (*images.FAMILIES, *sequences.FAMILIES)


@dataclass(frozen=True, slots=True)
class KernelRequest:
    """What to measure: the kernels of `networks` sampled ones, and these whole, on a backend.

    `further` are ONNX models, by name, whose kernels are measured besides; their nodes are named (`named.py`).
    """

    backend: str
    config: RunConfig = field(default_factory=RunConfig)
    networks: int = NETWORKS
    policy: TimingPolicy = field(default_factory=lambda: TimingPolicy(min_passes=5, clean_blocks=8, time_cap_s=300.0))
    seed: int = 0
    further: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def models(self) -> dict[str, bytes]:
        """The sampled networks by name, and the further ones."""
        found = dict(self.further)
        for number in range(self.networks):
            family = FAMILIES[number % len(FAMILIES)]
            rng = np.random.default_rng([self.seed, number])
            found[f"{family.__name__}-{number // len(FAMILIES)}"] = named(family(rng))
        return found


def build_kernel_profile(
    request: KernelRequest,
    out: str | Path,
    *,
    device: Transport | None = None,
    force: bool = False,
    on_progress: OnProgress | None = None,
) -> KernelProfile:
    """Measure on this machine and write the profile at `out`, resuming an interrupted run of the request.

    `device` runs the plan; None: a child process here.

    Raises OutputUnusable, ProfileMismatch (an interrupted run of another request), LutError where there is no kernel
    to time or the runtime's call could not be timed, and the errors of profilers, among them GraphUnavailable for a
    backend that does not tell its kernels.
    """
    out = Path(out)
    device = device or LocalDevice()
    device.require(request.backend)
    require_free(out, KERNEL_PROFILE, force=force)  # before the runtime is asked for graphs
    models = request.models
    graphs = graphs_of(models, request.backend, request.config)
    kernels = {digest_of(key): kernel for graph in graphs.values() for key, kernel in graph.kernels.items()}

    def plan(building: Path) -> TimingPlan:
        return write_plan(
            building / "plan",
            backend=request.backend,
            config=request.config,
            policy=request.policy,
            models=planned(kernels, models),
        )

    def write(plan: TimingPlan, results: Results) -> None:
        header = header_of(request, results, plan.digest)
        seal_kernels(out, header, records_of(results, kernels, graphs), force=force)

    run_to_profile(out, KERNEL_PROFILE, device, plan=plan, write=write, force=force, on_progress=on_progress)
    return load_kernel_profile(out)


def graphs_of(models: Mapping[str, bytes], backend: str, config: RunConfig) -> dict[str, KernelGraph]:
    """Ask the runtime what it makes of models, by name; raises GraphUnavailable and the errors of profilers."""
    runtime = runtime_of(backend)
    told = read_fused_graphs(list(models.values()), backend=backend, config=config)
    return {name: kernels_of(graph, runtime) for name, graph in zip(models, told)}


def runtime_of(backend: str) -> str:
    """Return the runtime behind a backend and its version, as its own graphs are marked."""
    return f"{backend.partition(':')[0]} {load_backend(backend).version()}"


def planned(kernels: Mapping[str, Kernel], models: Mapping[str, bytes]) -> Iterator[PlannedModel]:
    """Yield what a plan times: an anchor, the call alone, every kernel, and the models whole."""
    anchor = anchor_of(kernels)
    yield PlannedModel(ANCHOR + anchor, "anchor", kernel_model(kernels[anchor], copies_of(kernels[anchor])))
    yield PlannedModel(CALL, "layer", call_model())
    for digest, kernel in kernels.items():
        yield PlannedModel(digest, "layer", kernel_model(kernel, copies_of(kernel)))
    for name, model in models.items():
        yield PlannedModel(MODEL + name, "network", model)


def anchor_of(kernels: Mapping[str, Kernel]) -> str:
    """Return the digest of a kernel that works more than three quarters of the others; raises LutError for none."""
    order = sorted(kernels, key=lambda digest: (kernels[digest].cost.macs, digest))
    if not order:
        raise LutError("the runtime makes no kernel of these models that can be timed")
    return order[3 * len(order) // 4]


def call_model() -> bytes:
    """Return a model that does next to nothing."""
    from onnx import TensorProto, helper

    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "call", value[:1], value[1:])
    content: bytes = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    ).SerializeToString()
    return content


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
    )


@storable("what was measured is no kernel profile")
def records_of(
    results: Results, kernels: Mapping[str, Kernel], graphs: Mapping[str, KernelGraph]
) -> tuple[Record, ...]:
    """Return the records of a finished run, but header and end; raises LutError where the call could not be timed.

    A kernel that failed is a failure record, and the models that run it are left out: they have no sum.
    """
    measured, at_s, raw = results.measurements, results.at_s, raw_records(results)
    if CALL not in measured:
        raise LutError(f"the call of the runtime could not be timed: {[one.reason for one in results.failures][:1]}")

    def timed(key: str) -> LayerRecord:
        return LayerRecord(key=key, at_s=at_s[key], **raw[key])

    found: list[Record] = [CallRecord(timed=timed(CALL))]
    for digest, kernel in kernels.items():
        if digest in measured:
            found.append(kernel_record(kernel, timed(digest)))
    for name, graph in graphs.items():
        calls = {digest_of(key): count for key, count in graph.counts.items()}
        if MODEL + name in measured and not graph.excluded and all(digest in measured for digest in calls):
            found.append(ModelRecord(name=name, calls=calls, added=dict(graph.added), timed=timed(MODEL + name)))
    for one in results.anchors:
        found.append(
            AnchorRecord(
                key=one.key, session=one.session, t_s=one.t_s, value_us=round(one.value_us, 4), clean=one.clean
            )
        )
    return (*found, *(FailureRecord(key=one.key, reason=one.reason) for one in results.failures))


def kernel_record(kernel: Kernel, timed: LayerRecord) -> KernelRecord:
    """Return the record of a kernel."""
    return KernelRecord(
        key=kernel.key, operator=kernel.operator, copies=copies_of(kernel), cost=asdict(kernel.cost), timed=timed
    )
