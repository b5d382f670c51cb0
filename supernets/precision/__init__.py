"""What numbers a model is kept and computed in: a conversion of ONNX bytes for each precision, one file each.

Graphs are built in fp32; everything else is made of those bytes here, so that a layer that is timed, a network that is
validated and a file that is shipped go through the same door. A module of this folder has `convert(model, samples,
sampled, weight_bits)`; `runner(model)`, which runs what convert makes on this machine: its answers are known and not
assumed; `require()`, which raises PrecisionUnavailable where it could not; `RUNTIME`, that which runs it; `CALIBRATED`,
whether samples decide anything; and `TOLERANCE`: how far the outputs of two runtimes for one file may lie apart, as a
part of the largest. The names are those of `RunConfig.precision`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType

from ..errors import SupernetError
from ..graph import PartModel
from ..metric import Runner
from ..plugins import Registry, unknown_as
from .kernels import weight_bits_here as weight_bits_here
from .samples import Samples

FP32 = "fp32"  # what torch computes in, and what graphs are built in


PRECISIONS: Registry[ModuleType] = Registry("precision", "supernets/precision/formats", unknown_as(SupernetError))


def precisions() -> tuple[str, ...]:
    """Name the precisions, sorted."""
    return PRECISIONS.names()


def at_precision(
    model: bytes,
    precision: str,
    samples: Samples | None = None,
    *,
    sampled: bytes | None = None,
    weight_bits: int | None = None,
) -> bytes:
    """Return an fp32 model at another precision.

    fp32 and bf16 leave it as it is: for bf16 the runtime is told. fp16 takes and gives 16-bit floats, int8 still 32-bit
    ones, quantised inside by the ranges that `samples` (inputs by name; None: synthetic ones) lead to. Where they have
    another batch than the model, `sampled` is the same network with theirs. `weight_bits` of int8 are 8, or 7 for a
    processor that saturates with 8; None takes those of this machine. Raises SupernetError for an unknown precision, or
    a model that it cannot be converted to; PrecisionUnavailable without the runtime that it takes.
    """
    converted: bytes = module_of(precision).convert(model, samples, sampled, weight_bits)
    return converted


def parts_at_precision(
    parts: Sequence[PartModel], precision: str, *, weight_bits: int | None = None
) -> tuple[PartModel, ...]:
    """Return a network's parts at a precision, calibrated on synthetic inputs: for timing, not for answers."""
    return tuple(replace(part, model=at_precision(part.model, precision, weight_bits=weight_bits)) for part in parts)


def tolerance_of(precision: str) -> float:
    """Return how far the outputs of two runtimes for one file may lie apart, as a part of the largest."""
    tolerance: float = module_of(precision).TOLERANCE
    return tolerance


def runtime_of(precision: str) -> str:
    """Return the runtime that models of a precision are run in here."""
    runtime: str = module_of(precision).RUNTIME
    return runtime


def is_calibrated(precision: str) -> bool:
    """Tell whether samples decide what a model becomes."""
    calibrated: bool = module_of(precision).CALIBRATED
    return calibrated


def runner_at(model: bytes, precision: str) -> Runner:
    """Load a model that `at_precision` made where this machine computes in that precision; raises SupernetError.

    Raises PrecisionUnavailable where the processor or a runtime for it is missing.
    """
    runner: Runner = module_of(precision).runner(model)
    return runner


def require_here(precision: str) -> None:
    """Raise PrecisionUnavailable where this machine cannot compute in a precision, SupernetError for an unknown one."""
    module_of(precision).require()


def module_of(precision: str) -> ModuleType:
    """Import the module of a precision; raises SupernetError."""
    return PRECISIONS.load(precision)
