"""The kernel-profile file: records, reading and writing, kernels of other devices."""
