"""Turn a chosen sub-network into a file that can be shipped, and check that file before it is believed.

The exported ONNX model is run by every installed runtime: its answers must be torch's, the task's metric on the test
split must be torch's within 0.1 points, and its latency is measured where the profile was, beside the prediction. At
another precision than fp32, the answers must be those of the reference for it, and the metric what a search in that
precision finds, within 0.1 points; how far that is from torch's is written down.
A folder holds `model.onnx`, or one model a part, what the super-network adds (a vocabulary, say), and `model.json`,
which says where it comes from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ...lut import HardwareProfile, application_with, timed_model
from ...lut.profile_file.checks import check_request
from ...profilers.runtimes.registry import load_backend
from ...profilers.transports.transport import Transport
from ...supernets.evaluation.agreement import KernelCheck, check_parts
from ...supernets.evaluation.supernet import Supernet
from ...supernets.graph import PartModel
from ...supernets.precision import FP32, is_calibrated, require_here, runtime_of
from ...supernets.space.space import Architecture
from ...version import VERSION
from ..errors import ExportRefused
from ..problem.supernet import require_precision
from .checks import (
    REFERENCE_BACKEND,
    ExportedLatency,
    Parity,
    check_metric,
    check_parity,
    expected_answers,
    measured_latency,
    predicted_latency,
)
from .folder import SCHEMA, SIDECAR, complete, require_place, untimed, write_export
from .kernels import ExportedKernels, kernels_of_export

# History of the format of model.json, newest first:
#   5  latency: start, with_pauses; kernels
#   4  quantisation of int8
#   3  precision, and the examples it was calibrated on
#   2  models with their runs, companions and feeding; metric, of any task
#   1  sha256 of the one model; accuracy
SCHEMA_VERSION = 5
PARITY_EXAMPLES = 64
FEEDING = (
    "The models run in this order, each `runs` times. An output `x.next` is the input `x` of the model's next run; an "
    "output `x` is the input `x` of later models."
)


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file of the folder; `runs` is how often a model runs for one input, and 0 for what is no model."""

    name: str
    sha256: str
    runs: int


@dataclass(frozen=True, slots=True)
class ExportedMetric:
    """The task's metric on the test split, by torch in fp32 and by the reference runtime running the exported files.

    `noun` says what the examples are: images, or texts.
    """

    name: str
    unit: str
    torch_value: float
    runtime_value: float
    examples: int
    noun: str
    runtime: str = REFERENCE_BACKEND


@dataclass(frozen=True, slots=True)
class ExportedModel:
    """What was exported and how it was checked; `kernels` says it of the integer kernels here, for int8.

    consists_of: the kernels that the runtime makes of the files; None where they were not asked for.
    """

    folder: Path
    architecture: Architecture
    files: tuple[ExportedFile, ...]
    parities: tuple[Parity, ...]
    metric: ExportedMetric
    latency: ExportedLatency | None
    precision: str = FP32
    kernels: KernelCheck | None = None
    consists_of: ExportedKernels | None = None


def require_exportable(
    supernet: Supernet,
    folder: Path,
    *,
    profile: HardwareProfile | None,
    precision: str,
    timing: bool,
    period_ms: float | None,
    force: bool,
) -> None:
    """Raise what `export_subnet` raises before it builds anything; writes nothing."""
    application_with(period_ms)
    if period_ms is not None and (profile is None or not timing):
        raise ExportRefused("with a `period` inferences are timed, and here nothing would be; give a profile made here")
    require_place(folder, force=force, timed=timing and profile is not None)
    load_backend(REFERENCE_BACKEND)
    require_here(precision)
    if profile is not None:
        profile.space_named(supernet.space.name)
        check_request(profile, precision=precision)
    require_precision(supernet, precision)


def export_subnet(
    supernet: Supernet,
    architecture: Architecture,
    folder: str | Path,
    *,
    profile: HardwareProfile | None = None,
    precision: str = FP32,
    provenance: Mapping[str, Any] | None = None,
    timing: bool = True,
    period_ms: float | None = None,
    with_kernels: bool = False,
    device: Transport | None = None,
    force: bool = False,
    on_step: Callable[[str], None] = lambda step: None,
) -> ExportedModel:
    """Check the models, write `folder` (models, companions and model.json; nothing unless every check passes), time.

    With a `profile` of `device` (None: this machine) the models are timed there, unless `timing` is off; here, that
    waits until nothing else is measured, and `on_step` is told. Interrupted meanwhile, the folder stays, and the same
    call completes it.
    With `period_ms`, one inference every so often is timed besides the hot loop; `with_kernels`, the runtime (the
    profile's, else the reference) is asked which kernels it makes of the files. `provenance` goes into the sidecar as
    it is; int8 weights have the bits of `supernet`. Raises ExportRefused when the models do not do what they should,
    or a period is given and nothing would be timed; BackendUnavailable without onnxruntime, PrecisionUnavailable where
    this machine cannot check a precision, ProfileMismatch for a profile of another space or precision, OutputUnusable
    when the folder exists (by `force`, when it is no export) or is unwritable. In int8, KernelsDisagree where integer
    kernels here are wrong; where they are so for a file that is for another processor, no runtime is compared.
    """
    folder, application = Path(folder), application_with(period_ms)
    require_exportable(
        supernet, folder, profile=profile, precision=precision, timing=timing, period_ms=period_ms, force=force
    )
    on_step("building the graph, batch norm calibrated and folded")
    parts, size = supernet.models(architecture, precision=precision), supernet.size("test")
    contents = contents_of(parts, supernet.companions())
    kernels = check_parts([parts], supernet, "test") if is_calibrated(precision) else None
    if kernels is not None:
        on_step(kernels.sentence())
    on_step(f"comparing {PARITY_EXAMPLES} outputs with {'torch' if precision == FP32 else runtime_of(precision)}")
    examples = min(PARITY_EXAMPLES, size)
    expected = expected_answers(parts, supernet, architecture, examples, precision=precision)
    parities: tuple[Parity, ...] = ()
    if kernels is None or not kernels.in_fp32:
        parities = check_parity(parts, supernet, expected, examples, precision=precision, on_step=on_step)
    on_step(f"answering {size} test examples in {runtime_of(precision)}")
    torch_value = supernet.score(supernet.answers(architecture, "test"), "test")
    searched = torch_value if precision == FP32 else supernet.evaluate(architecture, "test", precision=precision)
    runtime_value = check_metric(parts, supernet, searched, precision=precision)
    predicted = None if profile is None else predicted_latency(profile, architecture, device)
    consists_of = None
    if with_kernels:
        on_step("asking the runtime for its kernels")
        elsewhere = None if predicted is None else predicted.not_measured
        consists_of = kernels_of_export(
            parts, REFERENCE_BACKEND, precision=precision, profile=profile, device=device, elsewhere=elsewhere
        )
    runs = {file_of(part): part.runs for part in parts}
    noun = "examples" if supernet.space.inputs else "images" if len(supernet.space.input_shape) == 3 else "texts"
    exported = ExportedModel(
        folder,
        architecture,
        tuple(
            ExportedFile(name, hashlib.sha256(held).hexdigest(), runs.get(name, 0)) for name, held in contents.items()
        ),
        parities,
        ExportedMetric(
            supernet.metric.name, supernet.metric.unit, torch_value, runtime_value, size, noun, runtime_of(precision)
        ),
        untimed(predicted, asked=timing),
        precision,
        kernels,
        consists_of,
    )
    write_export(folder, contents, sidecar(exported, supernet, profile, provenance or {}), force=force)
    if profile is None or predicted is None or predicted.not_measured is not None or not timing:
        return exported
    on_step(f"wrote {folder}; timing the models against their prediction")
    try:
        latency = measured_latency(profile, predicted, timed_model(parts), application, on_step, device)
    except KeyboardInterrupt:
        on_step(f"{folder} is kept, and says that it was not timed; the same command completes it")
        raise
    timed = replace(exported, latency=latency)
    complete(folder, sidecar(timed, supernet, profile, provenance or {}))
    return timed


def contents_of(parts: Sequence[PartModel], companions: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the folder's files but the sidecar; raises ExportRefused for a companion that could not lie there."""
    contents = {file_of(part): part.model for part in parts}
    for name in companions:
        if name in contents or name == SIDECAR or Path(name).name != name:
            raise ExportRefused(
                f"the super-network wants the file {name!r} beside {', '.join(contents)} and {SIDECAR}; "
                "expected a plain name that none of them has"
            )
    return {**contents, **companions}


def file_of(part: PartModel) -> str:
    """Return the name of a part's file."""
    return f"{part.name}.onnx"


def sidecar(
    exported: ExportedModel, supernet: Supernet, profile: HardwareProfile | None, provenance: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what model.json says."""
    space, metric = supernet.space, exported.metric
    models = [{"file": file.name, "sha256": file.sha256, "runs": file.runs} for file in exported.files if file.runs]
    others = [{"file": file.name, "sha256": file.sha256} for file in exported.files if not file.runs]
    return {
        "schema": SCHEMA,
        "version": SCHEMA_VERSION,
        "gnomon": VERSION,
        "models": models,
        "feeding": None if len(models) == 1 and models[0]["runs"] == 1 else FEEDING,
        "companions": others,
        "architecture": {
            "space": space.name,
            "space_digest": space.digest,
            "id": exported.architecture.id,
            "indices": exported.architecture.indices,
            "values": space.values(exported.architecture),
            "macs": int(space.macs([exported.architecture.indices])[0]),
            "params": int(space.params([exported.architecture.indices])[0]),
        },
        "checkpoint_sha256": supernet.checkpoint_sha256,
        "precision": exported.precision,
        "calibration": dict(supernet.calibration) if is_calibrated(exported.precision) else None,
        "quantisation": exported.kernels and asdict(exported.kernels),
        "input": supernet.described_input(),
        "metric": {
            "name": metric.name,
            "unit": metric.unit,
            **({"signature": supernet.metric.signature} if supernet.metric.signature else {}),
            "split": "test",
            "examples": metric.examples,
            "torch": metric.torch_value,
            metric.runtime: metric.runtime_value,
        },
        "parity": [asdict(parity) for parity in exported.parities],
        "latency": exported.latency and asdict(exported.latency),
        "kernels": exported.consists_of and asdict(exported.consists_of),
        "profile": profile and {"name": profile.name, "sha256": profile.digest},
        "provenance": dict(provenance),
    }
