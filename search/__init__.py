"""Which sub-networks are best: objectives, tactics, runs that resume, and the Pareto front of what was measured."""

from .archive import Archive
from .config import SearchConfig
from .constraint import Constraint
from .errors import (
    Infeasible,
    InvalidConfig,
    InvalidConstraint,
    InvalidValue,
    MissingContext,
    OutputUnusable,
    RunDamaged,
    RunLocked,
    RunMismatch,
    SearchError,
    SpaceExhausted,
    UnknownName,
)
from .loop import OnProgress, run_search
from .objective import OBJECTIVES, Objective, SearchContext
from .pareto import ParetoFront, hypervolume, non_dominated, pareto_front
from .records import Evaluation, ObjectiveInfo, RunHeader
from .run import Run, load_run
from .surrogate import SURROGATES, Fitted, Surrogate
from .tactic import TACTICS, Tactic

__all__ = [
    "OBJECTIVES",
    "SURROGATES",
    "TACTICS",
    "Archive",
    "Constraint",
    "Evaluation",
    "Fitted",
    "Infeasible",
    "InvalidConfig",
    "InvalidConstraint",
    "InvalidValue",
    "MissingContext",
    "Objective",
    "ObjectiveInfo",
    "OnProgress",
    "OutputUnusable",
    "ParetoFront",
    "Run",
    "RunDamaged",
    "RunHeader",
    "RunLocked",
    "RunMismatch",
    "SearchConfig",
    "SearchContext",
    "SearchError",
    "SpaceExhausted",
    "Surrogate",
    "Tactic",
    "UnknownName",
    "hypervolume",
    "load_run",
    "non_dominated",
    "pareto_front",
    "run_search",
]
