"""32-bit floats: what graphs are built in."""

from __future__ import annotations

from ..metric import Runner
from .runtimes import onnxruntime_runner
from .samples import Samples


def convert(model: bytes, samples: Samples | None, sampled: bytes | None) -> bytes:
    """Return the model itself."""
    return model


def runner(model: bytes) -> Runner:
    """Run it in ONNX Runtime."""
    return onnxruntime_runner(model)
