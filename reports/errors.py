"""Errors of the reports package."""

from __future__ import annotations


class PlotRefused(Exception):
    """A plot cannot be written: its ending, an existing file, a missing library or an unwritable folder."""
