"""Objectives: one module each, found by name."""
