"""How long models take on this device: plans, backends, the timing protocol, and the machine's fingerprint."""

from .errors import (
    AddressInvalid,
    BackendBroken,
    BackendError,
    BackendUnavailable,
    BackendUnusable,
    BundleDamaged,
    CounterUnavailable,
    DeviceBusy,
    DeviceError,
    DeviceUnfit,
    DeviceUnreachable,
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
    RuntimeTooOld,
    UnknownBackend,
    UnsupportedConfig,
    WorkerCrashed,
)
from .journal import Journal, read_journal, write_atomically
from .machine.hardware import CoreNoise, Hardware, NoiseCause, core_noise, fingerprint, noise_causes
from .resources.counter import Counter, CounterState, counter_names, counter_states, open_counter
from .resources.usage import EnergyReading, EnergyUse, MemoryUse, Resources, Usage
from .results.drift import SpeedCurve
from .results.parsing import read_results
from .results.results import Results
from .results.visits import Anchor, Failure, Session, Visit
from .run_config import RunConfig
from .runtimes.backend import Backend, Executable, OperatorProfile, OperatorProfiler, OperatorTime, profile_operators
from .runtimes.program import Program, ProgramLoader, load_program
from .runtimes.registry import backend_names, load_backend
from .timing.measurement import Measurement
from .timing.plan import PlanItem, PlannedModel, PlanPart, TimingPlan, read_plan, write_plan
from .timing.program_part import ProgramPart
from .timing.protocol import TimingPolicy
from .transports.local import run_plan_locally
from .transports.transport import open_device

__all__ = [
    "AddressInvalid",
    "Anchor",
    "Backend",
    "BackendBroken",
    "BackendError",
    "BackendUnavailable",
    "BackendUnusable",
    "BundleDamaged",
    "CoreNoise",
    "Counter",
    "CounterState",
    "CounterUnavailable",
    "DeviceBusy",
    "DeviceError",
    "DeviceUnfit",
    "DeviceUnreachable",
    "EnergyReading",
    "EnergyUse",
    "EnvironmentChanged",
    "Executable",
    "Failure",
    "FallbackRefused",
    "Hardware",
    "Journal",
    "JournalDamaged",
    "Measurement",
    "MemoryUse",
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
    "Resources",
    "Results",
    "ResultsLocked",
    "ResultsUnwritable",
    "RunConfig",
    "RuntimeConflict",
    "RuntimeTooOld",
    "Session",
    "SpeedCurve",
    "TimingPlan",
    "TimingPolicy",
    "UnknownBackend",
    "UnsupportedConfig",
    "Usage",
    "Visit",
    "WorkerCrashed",
    "backend_names",
    "core_noise",
    "counter_names",
    "counter_states",
    "fingerprint",
    "load_backend",
    "load_program",
    "noise_causes",
    "open_counter",
    "open_device",
    "profile_operators",
    "read_journal",
    "read_plan",
    "read_results",
    "run_plan_locally",
    "write_atomically",
    "write_plan",
]
