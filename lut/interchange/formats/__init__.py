"""Files of latency tables that other programs write: one module each, and nothing else."""
