"""Latency lookup tables: hardware profiles, the models that read latencies from them, and their verified error."""

from .analysis.diff import ProfileDiff, diff_profiles
from .analysis.explain import Explanation, GroupShare, LayerShare, SlotDifference, differences, explain
from .analysis.family import model_for_space
from .analysis.kernel_diff import diff_kernel_profiles, diff_sources
from .analysis.operators import LayerOperators, OperatorReport, explain_operators
from .analysis.pauses import PauseFactor, common_factor, pause_factor
from .analysis.refresh import Refreshed, refresh_profile
from .analysis.validity import Validity
from .errors import (
    FindingsRefused,
    LatencyMissing,
    LutError,
    NotVerified,
    ProfileDamaged,
    ProfileMismatch,
    ResultsIncomplete,
    TableUnreadable,
    UnknownProfile,
)
from .interchange import format_names, read_table, write_table
from .latency_model.estimate import LatencyEstimate
from .latency_model.fit_report import FitReport
from .latency_model.model import LatencyModel
from .latency_model.regression import with_predictions
from .latency_model.table import LatencyTable
from .lint import Finding, lint_profile, lint_table
from .measuring.build import ProfileRequest, build_profile
from .measuring.bundle import BundleEstimate, bundle_request, create_bundle, estimate_bundle, import_results
from .measuring.imports import Imported, TableOrigin, import_table
from .measuring.measure import (
    Remeasured,
    RemeasuredTogether,
    application_with,
    device_differences,
    is_this_device,
    measure_model,
    measure_models,
    reason_not_here,
)
from .measuring.merge import merge_profiles
from .measuring.networks import network_parts, timed_model
from .measuring.resources import measure_resources, reason_without_energy, reason_without_memory
from .profile_file.checks import check_profile
from .profile_file.profile import HardwareProfile
from .profile_file.store import load_profile, shipped_profiles

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
    "PauseFactor",
    "ProfileDamaged",
    "ProfileDiff",
    "ProfileMismatch",
    "ProfileRequest",
    "Refreshed",
    "Remeasured",
    "RemeasuredTogether",
    "ResultsIncomplete",
    "SlotDifference",
    "TableOrigin",
    "TableUnreadable",
    "UnknownProfile",
    "Validity",
    "application_with",
    "build_profile",
    "bundle_request",
    "check_profile",
    "common_factor",
    "create_bundle",
    "device_differences",
    "diff_kernel_profiles",
    "diff_profiles",
    "diff_sources",
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
    "merge_profiles",
    "model_for_space",
    "network_parts",
    "pause_factor",
    "read_table",
    "reason_not_here",
    "reason_without_energy",
    "reason_without_memory",
    "refresh_profile",
    "shipped_profiles",
    "timed_model",
    "with_predictions",
    "write_table",
]
