"""Makes a kernel profile: asks the runtime for kernels and times them, here or from bundles."""
