"""32-bit floats: what graphs are built in."""

from __future__ import annotations

from ...metric import Runner
from ..runtimes import onnxruntime_runner, require_onnxruntime
from ..samples import Samples

RUNTIME, CALIBRATED, TOLERANCE = "onnxruntime", False, 1e-4


def convert(model: bytes, samples: Samples | None, sampled: bytes | None, weight_bits: int | None) -> bytes:
    """Return the model itself."""
    return model


def require() -> None:
    """Raise PrecisionUnavailable without ONNX Runtime."""
    require_onnxruntime()


def runner(model: bytes) -> Runner:
    """Run it in ONNX Runtime."""
    return onnxruntime_runner(model)
