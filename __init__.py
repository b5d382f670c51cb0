"""Gnomon: measured latency for every sub-network of a super-network, and a search that uses it.

>>> import gnomon
>>> profile = gnomon.profile("fashion_mnist", "onnxruntime")            # measure this device once
>>> run = gnomon.run_search(config, "runs/first", profile=profile)      # find the best sub-networks
>>> gnomon.final_front(run, profile=profile).front()                   # what its front is worth on fresh images
>>> gnomon.export(run, "latency<=0.2ms", "exported", profile=profile)   # ship one, checked and timed
"""

from .api import backends, export, final_front, load_profile, load_run, profile, spaces
from .api import search as run_search  # the name `search` belongs to the sub-package
from .version import VERSION as __version__

__all__ = [
    "__version__",
    "backends",
    "export",
    "final_front",
    "load_profile",
    "load_run",
    "profile",
    "run_search",
    "spaces",
]
