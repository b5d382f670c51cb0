"""Latency lookup tables: hardware profiles, the models that read latencies from them, and their verified error."""

from .build import ProfileRequest, build_profile
from .bundle import BundleEstimate, bundle_request, create_bundle, estimate_bundle, import_results
from .diff import ProfileDiff, diff_profiles
from .errors import (
    FindingsRefused,
    LatencyMissing,
    LutError,
    NotVerified,
    OutputExists,
    OutputUnwritable,
    ProfileDamaged,
    ProfileMismatch,
    ResultsIncomplete,
    TableUnreadable,
    UnknownProfile,
)
from .estimate import LatencyEstimate
from .explain import Explanation, GroupShare, LayerShare, SlotDifference, differences, explain
from .family import model_for_space
from .imports import Imported, TableOrigin, import_table
from .interchange import format_names, read_table, write_table
from .lint import Finding, lint_profile, lint_table
from .measure import (
    Remeasured,
    RemeasuredTogether,
    device_differences,
    is_this_device,
    measure_model,
    measure_models,
    reason_not_here,
)
from .model import LatencyModel
from .networks import network_parts, timed_model
from .operators import LayerOperators, OperatorReport, explain_operators
from .profile import HardwareProfile, check_profile
from .regression import with_predictions
from .resources import measure_resources, reason_without_energy, reason_without_memory
from .schema import FitReport
from .store import load_profile, shipped_profiles
from .table import LatencyTable

__all__ = [
    "BundleEstimate",
    "Explanation",
    "Finding",
    "FindingsRefused",
    "FitReport",
    "GroupShare",
    "HardwareProfile",
    "Imported",
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
    "ProfileDiff",
    "ProfileMismatch",
    "ProfileRequest",
    "Remeasured",
    "RemeasuredTogether",
    "ResultsIncomplete",
    "SlotDifference",
    "TableOrigin",
    "TableUnreadable",
    "UnknownProfile",
    "build_profile",
    "bundle_request",
    "check_profile",
    "create_bundle",
    "device_differences",
    "diff_profiles",
    "differences",
    "estimate_bundle",
    "explain",
    "explain_operators",
    "format_names",
    "import_results",
    "import_table",
    "is_this_device",
    "lint_profile",
    "lint_table",
    "load_profile",
    "measure_model",
    "measure_models",
    "measure_resources",
    "model_for_space",
    "network_parts",
    "read_table",
    "reason_not_here",
    "reason_without_energy",
    "reason_without_memory",
    "shipped_profiles",
    "timed_model",
    "with_predictions",
    "write_table",
]
