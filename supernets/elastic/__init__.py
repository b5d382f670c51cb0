"""Torch modules that share weights between sub-networks by slicing."""

from .forward import Pass
from .network import ElasticNetwork
from .normalisation import BatchStatistics, Calibration, FixedStatistics, Normalise, Statistics

__all__ = ["BatchStatistics", "Calibration", "ElasticNetwork", "FixedStatistics", "Normalise", "Pass", "Statistics"]
