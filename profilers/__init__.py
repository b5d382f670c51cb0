"""How long models take on this device: plans, backends, the timing protocol, and the machine's fingerprint."""

from .backend import Backend, Executable, OperatorProfile, OperatorProfiler, OperatorTime, RunConfig, profile_operators
from .drift import SpeedCurve
from .errors import (
    BackendError,
    BackendUnavailable,
    EnvironmentChanged,
    FallbackRefused,
    JournalDamaged,
    ModelRejected,
    OperatorsUnavailable,
    PlanDamaged,
    PlanError,
    PlanMismatch,
    ProfilerError,
    ResultsLocked,
    ResultsUnwritable,
    RuntimeConflict,
    UnknownBackend,
    UnsupportedConfig,
    WorkerCrashed,
)
from .hardware import Hardware, NoiseCause, TimerNoise, fingerprint, noise_causes, timer_noise
from .journal import Journal, read_journal, write_atomically
from .plan import PlanItem, PlannedModel, PlanPart, TimingPlan, read_plan, write_plan
from .program import Program, ProgramLoader, ProgramPart, load_program
from .registry import backend_names, load_backend
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
    "OperatorProfile",
    "OperatorProfiler",
    "OperatorTime",
    "OperatorsUnavailable",
    "PlanDamaged",
    "PlanError",
    "PlanItem",
    "PlanMismatch",
    "PlanPart",
    "PlannedModel",
    "ProfilerError",
    "Program",
    "ProgramLoader",
    "ProgramPart",
    "Results",
    "ResultsLocked",
    "ResultsUnwritable",
    "RunConfig",
    "RuntimeConflict",
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
    "load_program",
    "noise_causes",
    "profile_operators",
    "read_journal",
    "read_plan",
    "read_results",
    "run_plan_locally",
    "timer_noise",
    "write_atomically",
    "write_plan",
]
