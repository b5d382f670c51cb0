"""The layer kinds: one module each, with `operations(spec)`, and nothing else."""
