"""Surrogates: one module each, found by name."""
