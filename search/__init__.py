"""Search: objectives, tactics, validation and the Pareto front. Nothing here times anything itself."""

from .config import SearchConfig
from .constraint import Constraint
from .errors import SearchError
from .final_front import FinalFront, load_final
from .loop import run_search
from .objective import Objective, SearchContext
from .pareto import ObjectiveInfo, ParetoFront, hypervolume, non_dominated
from .quality import PredictorQuality, Quality
from .records import Evaluation
from .rounds import Trial
from .run import Run, load_run
from .stopping import Stop
from .study import Study
from .surrogate import Surrogate
from .tactic import Batch, Tactic
from .told import Told

__all__ = [
    "Batch",
    "Constraint",
    "Evaluation",
    "FinalFront",
    "Objective",
    "ObjectiveInfo",
    "ParetoFront",
    "PredictorQuality",
    "Quality",
    "Run",
    "SearchConfig",
    "SearchContext",
    "SearchError",
    "Stop",
    "Study",
    "Surrogate",
    "Tactic",
    "Told",
    "Trial",
    "hypervolume",
    "load_final",
    "load_run",
    "non_dominated",
    "run_search",
]
