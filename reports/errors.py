"""Errors of the reports package."""

from __future__ import annotations

from ..errors import GnomonError


class PlotRefused(GnomonError):
    """A plot cannot be drawn: its suffix is no picture's, a library is missing, or there is nothing to show."""


class TrackingFailed(GnomonError):
    """A run cannot be shown in an experiment tracker: it is unknown, cannot be reached, or its client refuses."""


class ReportRefused(GnomonError):
    """A report cannot be written: there is nothing to show, or a library is missing."""
