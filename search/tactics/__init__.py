"""Tactics: one module each, found by name."""
