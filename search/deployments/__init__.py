"""Ways to run a network on one device: precision, runtime, threads."""
