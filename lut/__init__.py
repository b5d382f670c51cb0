"""Latency lookup tables: hardware profiles, the models that read latencies from them, and their verified error."""

from .build import ProfileRequest, build_profile
from .diff import ProfileDiff, diff_profiles
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
from .lint import Finding, lint_profile, lint_table
from .measure import Remeasured, is_this_device, measure_model
from .model import LatencyModel
from .profile import HardwareProfile, check_profile
from .schema import FitReport
from .store import load_profile, shipped_profiles
from .table import LatencyTable

__all__ = [
    "Finding",
    "FitReport",
    "HardwareProfile",
    "LatencyEstimate",
    "LatencyMissing",
    "LatencyModel",
    "LatencyTable",
    "LutError",
    "NotVerified",
    "OutputExists",
    "OutputUnwritable",
    "ProfileDamaged",
    "ProfileDiff",
    "ProfileMismatch",
    "ProfileRequest",
    "Remeasured",
    "UnknownProfile",
    "build_profile",
    "check_profile",
    "diff_profiles",
    "is_this_device",
    "lint_profile",
    "lint_table",
    "load_profile",
    "measure_model",
    "shipped_profiles",
]
