"""XNNPACK, which has kernels for convolutions, products, pooling and little else; no published wheel contains it.

It computes on a pool of its own, so ONNX Runtime's gets one thread. A layer with any other operator is refused: its
time would be that of two providers.
"""

from __future__ import annotations

from ...run_config import RunConfig
from ..provider import BuiltInProvider, Options


def options(config: RunConfig) -> Options:
    """Return the size of its pool."""
    return {"intra_op_num_threads": str(config.threads)}


PROVIDER = BuiltInProvider(
    name="XnnpackExecutionProvider",
    device="cpu",
    install_command="build onnxruntime with: ./build.sh --config Release --build_wheel --use_xnnpack",
    options=options,
    has_own_threads=True,
)
