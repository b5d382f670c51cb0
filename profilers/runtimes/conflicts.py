"""Runtimes that cannot share a process.

The OpenVINO plugin of ONNX Runtime brings an OpenVINO of its own, whose libraries have the names of those of the
package openvino. The dynamic linker keeps whichever came first, silently: then one of the two is timed under the name
of the other, or two builds are mixed. So the second one is refused. Workers are processes of their own and never meet.
"""

from __future__ import annotations

import sys

from ..errors import RuntimeConflict

OPENVINO = "openvino"
OPENVINO_PLUGIN = "onnxruntime_ep_openvino"
EXCLUDES = {OPENVINO: OPENVINO_PLUGIN, OPENVINO_PLUGIN: OPENVINO}


def refuse_conflict(module: str) -> None:
    """Raise `RuntimeConflict` when what excludes ``module`` has been imported into this process."""
    other = EXCLUDES[module]
    if sys.modules.get(other) is not None:
        raise RuntimeConflict(
            f"{module} cannot be loaded into this process, because {other} is: both bring libopenvino, and only the "
            f"first would be used, by both. Use them in two processes, as gnomon profile does"
        )
