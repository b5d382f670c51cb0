"""16-bit floats with the range of 32-bit ones: the file stays fp32, and OpenVINO is told to compute in bf16.

Processors that have no instructions for it are refused, because elsewhere the hint would be ignored or emulated.
"""

from __future__ import annotations

from ..metric import Runner
from .runtimes import openvino_runner
from .samples import Samples


def convert(model: bytes, samples: Samples | None, sampled: bytes | None) -> bytes:
    """Return the model itself."""
    return model


def runner(model: bytes) -> Runner:
    """Run it in OpenVINO with the hint; raises PrecisionUnavailable where the processor has no bf16."""
    return openvino_runner(model, hint="bf16", capability="BF16")
