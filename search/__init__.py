"""Search: objectives, tactics, validation and the Pareto front. Nothing here times anything itself."""

from .config import SearchConfig
from .constraint import Constraint
from .errors import SearchError
from .final_front import FinalFront, load_final
from .objective import Objective, SearchContext
from .pareto import ObjectiveInfo, ParetoFront, hypervolume, non_dominated
from .records import Evaluation
from .run import Run, load_run, run_search
from .surrogate import Surrogate
from .tactic import Tactic

__all__ = [
    "Constraint",
    "Evaluation",
    "FinalFront",
    "Objective",
    "ObjectiveInfo",
    "ParetoFront",
    "Run",
    "SearchConfig",
    "SearchContext",
    "SearchError",
    "Surrogate",
    "Tactic",
    "hypervolume",
    "load_final",
    "load_run",
    "non_dominated",
    "run_search",
]
