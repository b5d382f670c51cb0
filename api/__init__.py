"""The public functions: each composes the packages below it, and the command line calls the same.

A verb of the command line is one call here. Nothing slow is imported before a function is called.
"""

from .latency import backends, build, diff, load_profile, predict, profile, refresh, spread_of_builds
from .models import predict_model, profile_kernels
from .networks import evaluate, spaces, train
from .reporting import report
from .searching import export, final_front, load_run, run_search

__all__ = [
    "backends",
    "build",
    "diff",
    "evaluate",
    "export",
    "final_front",
    "load_profile",
    "load_run",
    "predict",
    "predict_model",
    "profile",
    "profile_kernels",
    "refresh",
    "report",
    "run_search",
    "spaces",
    "spread_of_builds",
    "train",
]
