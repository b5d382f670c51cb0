"""Latency of any ONNX model: the kernels that the runtime makes of it, each measured or predicted, and their sum."""
