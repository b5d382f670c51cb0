"""ONNX Runtime's own kernels for the CPU: the provider of the bare name ``onnxruntime``."""

from __future__ import annotations

from ..provider import BuiltInProvider
from ..requirements import install_command

PROVIDER = BuiltInProvider(
    name="CPUExecutionProvider",
    device="cpu",
    install_command=install_command("onnxruntime"),
    precisions=("fp32", "int8"),  # int8 comes in the model, as Q/DQ pairs
    precision_note=". The provider's kernels for 16-bit floats compute in fp32 between casts",
    profiles_operators=True,
)
