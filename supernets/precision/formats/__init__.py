"""The precisions: one module each, and nothing else."""
