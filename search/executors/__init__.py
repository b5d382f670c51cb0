"""Executors: one module each, found by name."""
