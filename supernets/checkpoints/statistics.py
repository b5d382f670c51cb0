"""Running statistics of batch norm from a published file: those of the network that was trained last.

They serve to compare the largest sub-network with a fixed parent, number by number. Sub-networks are judged with
statistics of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..errors import CheckpointMismatch
from ..space import SearchSpace
from .published import OUR_EPSILON, published_for

if TYPE_CHECKING:
    from torch import Tensor

MEAN, VARIANCE, SCALE = ".running_mean", ".running_var", ".scale"


def running_statistics(space: SearchSpace, tensors: Mapping[str, Tensor]) -> dict[str, tuple[Tensor, Tensor]]:
    """Return (mean, variance) at every place of `space` that published `tensors` have running statistics for.

    Raises CheckpointMismatch where the space's published files are not known or hold none.
    """
    published = published_for(space.name)
    means = [name for name in tensors if name.endswith(MEAN)]
    if published is None or not means:
        raise CheckpointMismatch(f"no running statistics of {space.name} in these tensors", tensor="(statistics)")
    factor = (OUR_EPSILON / published.epsilon) ** 0.5  # what loading multiplies the kernels by
    slots = {slot.name.replace(".", "_"): slot.name for slot in space.slots}
    found: dict[str, tuple[Tensor, Tensor]] = {}
    for name in means:
        norm = name.removesuffix(MEAN)
        scale = published.our_name(f"{norm}.weight") or ""
        words = scale.removesuffix(SCALE).split(".")
        if scale.endswith(SCALE) and words[1] in slots:
            mean, variance = tensors[name].float(), tensors[norm + VARIANCE].float()
            found[f"{slots[words[1]]}.{words[-1]}"] = (mean * factor, variance * factor**2)
    return found
