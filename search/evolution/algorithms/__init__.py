"""Algorithms that breed architectures: one module each, found by name; the only place that imports pymoo."""
