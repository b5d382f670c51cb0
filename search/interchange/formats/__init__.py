"""Files that runs are written to for other programs: one module each, and nothing else."""
