"""Torch modules that share weights between sub-networks by slicing."""

from .network import ElasticNetwork
from .normalisation import BatchStatistics, Calibration, FixedStatistics, Normalise, Statistics

__all__ = ["BatchStatistics", "Calibration", "ElasticNetwork", "FixedStatistics", "Normalise", "Statistics"]
