"""Formats of latency tables: one module a format, and nothing else."""
