"""One file an execution provider of ONNX Runtime, file name = variant; each has ``PROVIDER``. Imports no runtime."""
