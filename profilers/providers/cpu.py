"""ONNX Runtime's own kernels for the CPU: the provider of the bare name ``onnxruntime``."""

from __future__ import annotations

from ..provider import BuiltInProvider

PROVIDER = BuiltInProvider(
    name="CPUExecutionProvider",
    device="cpu",
    install_command='pip install "gnomon[onnxruntime]"',
    profiles_operators=True,
)
