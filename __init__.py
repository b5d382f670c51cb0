"""Gnomon: measured latency for every sub-network of a super-network, and a search that uses it."""

__version__ = "0.1.0"
