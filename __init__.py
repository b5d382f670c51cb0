"""Gnomon: measured latency for every sub-network of a super-network, and a search that uses it.

>>> import gnomon
>>> profile = gnomon.profile("fashion_mnist", "onnxruntime")            # measure this device once
>>> run = gnomon.run_search(config, "runs/first", profile=profile)      # find the best sub-networks
>>> gnomon.final_front(run, profile=profile).front()                   # what its front is worth on fresh images
>>> gnomon.export(run, "latency<=0.2ms", "exported", profile=profile)   # ship one, checked and timed
"""

from typing import TYPE_CHECKING, Any

from .api import backends, export, final_front, load_profile, load_run, profile, spaces
from .api import search as run_search  # the name `search` belongs to the sub-package
from .version import VERSION as __version__

if TYPE_CHECKING:
    from .search import SearchConfig as SearchConfig
    from .search import Study as Study
    from .search import UserObjective as UserObjective

OF_SEARCH = ("SearchConfig", "Study", "UserObjective")
__all__ = ["__version__", "backends", "export", "final_front", "load_profile", "load_run", "profile", "run_search"]
__all__ += ["SearchConfig", "Study", "UserObjective", "spaces"]


def __dir__() -> list[str]:
    """List every public name, also those that are imported when they are first used."""
    return sorted({*globals(), *OF_SEARCH})


def __getattr__(name: str) -> Any:
    """Import what belongs to the search when it is first used, so that `import gnomon` stays quick."""
    if name in OF_SEARCH:
        from . import search

        return getattr(search, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
