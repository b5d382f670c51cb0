"""Which kernels a runtime makes of a model: the question, who answers it, and ONNX files without the onnx package."""
