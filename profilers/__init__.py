"""How long models take on this device: plans, backends, the timing protocol, and the machine's fingerprint."""

from .backend import Backend, Executable, RunConfig, backend_names, load_backend
from .drift import SpeedCurve
from .errors import (
    BackendError,
    BackendUnavailable,
    EnvironmentChanged,
    FallbackRefused,
    JournalDamaged,
    ModelRejected,
    PlanDamaged,
    PlanError,
    PlanMismatch,
    ProfilerError,
    ResultsLocked,
    ResultsUnwritable,
    UnknownBackend,
    UnsupportedConfig,
    WorkerCrashed,
)
from .hardware import Hardware, NoiseCause, TimerNoise, fingerprint, noise_causes, timer_noise
from .journal import Journal, read_journal, write_atomically
from .plan import PlanItem, PlannedModel, TimingPlan, read_plan, write_plan
from .results import Anchor, Failure, Results, Session, Visit, read_results
from .timing import Measurement, TimingPolicy
from .transports.local import run_plan_locally

__all__ = [
    "Anchor",
    "Backend",
    "BackendError",
    "BackendUnavailable",
    "EnvironmentChanged",
    "Executable",
    "Failure",
    "FallbackRefused",
    "Hardware",
    "Journal",
    "JournalDamaged",
    "Measurement",
    "ModelRejected",
    "NoiseCause",
    "PlanDamaged",
    "PlanError",
    "PlanItem",
    "PlanMismatch",
    "PlannedModel",
    "ProfilerError",
    "Results",
    "ResultsLocked",
    "ResultsUnwritable",
    "RunConfig",
    "Session",
    "SpeedCurve",
    "TimerNoise",
    "TimingPlan",
    "TimingPolicy",
    "UnknownBackend",
    "UnsupportedConfig",
    "Visit",
    "WorkerCrashed",
    "backend_names",
    "fingerprint",
    "load_backend",
    "noise_causes",
    "read_journal",
    "read_plan",
    "read_results",
    "run_plan_locally",
    "timer_noise",
    "write_atomically",
    "write_plan",
]
