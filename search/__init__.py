"""Search: objectives, tactics, validation and the Pareto front. Nothing here times anything itself."""

from .config import SearchConfig
from .errors import SearchError
from .executor import Workers
from .final.front import FinalFront, load_final
from .fronts.pareto import ParetoFront, hypervolume, non_dominated
from .loop import SearchProgress, search_in_context
from .prediction.surrogate import Surrogate
from .problem.constraint import Constraint
from .problem.context import SearchContext
from .problem.objective import Objective, ObjectiveInfo
from .problem.user_objective import UserObjective
from .rounds import Trial
from .runs.files.records import Evaluation
from .runs.files.stopping import Stop
from .runs.quality import PredictorQuality, Quality
from .runs.repricing import repriced
from .runs.run import Run, load_run
from .study import Study
from .tactic import Batch, Tactic

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
    "SearchProgress",
    "Stop",
    "Study",
    "Surrogate",
    "Tactic",
    "Trial",
    "UserObjective",
    "Workers",
    "hypervolume",
    "load_final",
    "load_run",
    "non_dominated",
    "repriced",
    "search_in_context",
]
