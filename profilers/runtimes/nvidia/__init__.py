"""What backends on NVIDIA GPUs share: CUDA and NVML without a Python package, engines, and their caches."""
