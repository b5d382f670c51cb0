"""16-bit floats with the range of 32-bit ones: the file stays fp32, and OpenVINO is told to compute in bf16.

Processors that have no instructions for it are refused, because elsewhere the hint would be ignored or emulated.
"""

from __future__ import annotations

from ...metric import Runner
from ..runtimes import openvino_core, openvino_runner
from ..samples import Samples

RUNTIME, CALIBRATED, TOLERANCE = "openvino", False, 5e-2
HINT, CAPABILITY = "bf16", "BF16"


def convert(model: bytes, samples: Samples | None, sampled: bytes | None, weight_bits: int | None) -> bytes:
    """Return the model itself."""
    return model


def require() -> None:
    """Raise PrecisionUnavailable without OpenVINO, or where the processor has no bf16."""
    openvino_core(HINT, CAPABILITY)


def runner(model: bytes) -> Runner:
    """Run it in OpenVINO with the hint; raises PrecisionUnavailable where the processor has no bf16."""
    return openvino_runner(model, hint=HINT, capability=CAPABILITY)
