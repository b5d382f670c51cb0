"""Evolutionary search over architectures by predicted or measured values."""
