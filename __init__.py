"""Gnomon: measured latency for every sub-network of a super-network, and a search that uses it.

>>> import gnomon
    profile = gnomon.profile("fashion_mnist", "onnxruntime")            # measure this device once
    run = gnomon.run_search(config, "runs/first", profile=profile)      # find the best sub-networks
    gnomon.final_front(run, profile=profile).front()                    # what its front is worth on fresh images
    gnomon.export(run, "latency<=0.2ms", "exported", profile=profile)   # ship one, checked and timed
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .api import (
    backends,
    build,
    diff,
    evaluate,
    export,
    final_front,
    load_profile,
    load_run,
    predict,
    predict_model,
    profile,
    profile_kernels,
    refresh,
    report,
    run_search,
    spaces,
    train,
)
from .errors import GnomonError
from .version import VERSION as __version__

if TYPE_CHECKING:
    from .search import Constraint as Constraint
    from .search import Objective as Objective
    from .search import SearchConfig as SearchConfig
    from .search import Study as Study
    from .search import UserObjective as UserObjective
    from .supernets import SearchSpace as SearchSpace

LATER = {
    **dict.fromkeys(("Constraint", "Objective", "SearchConfig", "Study", "UserObjective"), "search"),
    "SearchSpace": "supernets",
}
__all__ = ["__version__", "backends", "build", "diff", "evaluate", "export", "final_front", "load_profile", "load_run"]
__all__ += ["predict", "predict_model", "profile", "profile_kernels", "refresh", "report", "run_search", "spaces"]
__all__ += ["train", "GnomonError", *LATER]


def __dir__() -> list[str]:
    """List every public name, also those that are imported when they are first used."""
    return sorted({*globals(), *LATER})


def __getattr__(name: str) -> Any:
    """Import what belongs to a package when it is first used, so that `import gnomon` stays quick."""
    if name in LATER:
        return getattr(import_module(f".{LATER[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
