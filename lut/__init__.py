"""Latency lookup tables: hardware profiles, the models that read latencies from them, and their verified error."""

from .build import ProfileRequest, build_profile
from .errors import (
    LatencyMissing,
    LutError,
    NotVerified,
    OutputExists,
    OutputUnwritable,
    ProfileDamaged,
    ProfileMismatch,
    UnknownProfile,
)
from .estimate import LatencyEstimate
from .explain import Explanation, GroupShare, LayerShare, SlotDifference, differences, explain
from .family import model_for_space
from .measure import Remeasured, is_this_device, measure_model
from .model import LatencyModel
from .operators import LayerOperators, OperatorReport, explain_operators
from .profile import HardwareProfile, check_profile
from .regression import with_predictions
from .schema import FitReport
from .store import load_profile, shipped_profiles
from .table import LatencyTable

__all__ = [
    "Explanation",
    "FitReport",
    "GroupShare",
    "HardwareProfile",
    "LatencyEstimate",
    "LatencyMissing",
    "LatencyModel",
    "LatencyTable",
    "LayerOperators",
    "LayerShare",
    "LutError",
    "NotVerified",
    "OperatorReport",
    "OutputExists",
    "OutputUnwritable",
    "ProfileDamaged",
    "ProfileMismatch",
    "ProfileRequest",
    "Remeasured",
    "SlotDifference",
    "UnknownProfile",
    "build_profile",
    "check_profile",
    "differences",
    "explain",
    "explain_operators",
    "is_this_device",
    "load_profile",
    "measure_model",
    "model_for_space",
    "shipped_profiles",
    "with_predictions",
]
