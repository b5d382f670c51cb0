"""Figures for papers and documents, one call each: PNG, SVG or PDF by the file's ending."""

from .breakdown import plot_breakdown
from .fidelity import plot_fidelity
from .front import plot_front
from .hypervolume import plot_hypervolume

__all__ = ["plot_breakdown", "plot_fidelity", "plot_front", "plot_hypervolume"]
