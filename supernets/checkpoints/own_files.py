"""Weight files of our own: which are used when none are given, and how they are written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..weight_files import SHIPPED, made_weights

if TYPE_CHECKING:
    from ..elastic import ElasticNetwork


def weights_of(space: str) -> Path | None:
    """Return the weights to use for `space` when none are given, or None.

    Those of its very options come first, then those of the space's name alone: not every option changes the weights,
    and loading checks every tensor. What ships comes before what was made here, published files that were prepared
    come last.
    """
    from .published import prepared_weights

    base = space.partition(":")[0]
    candidates = (SHIPPED / f"{base}.safetensors", made_weights(space), made_weights(base))
    return next((path for path in candidates if path.exists()), None) or prepared_weights(space)


def save_weights(network: ElasticNetwork, path: str | Path, *, float16: bool = False) -> None:
    """Write the network's tensors as safetensors, in 32 bits or 16, and in 32 the statistics that it came with.

    Raises OSError where it cannot be written.
    """
    path = Path(path)
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    from .statistics import named_statistics

    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    kept = {name: tensor.half() for name, tensor in tensors.items()} if float16 else tensors
    try:
        save_file({**kept, **named_statistics(network)}, path)
    except SafetensorError as error:
        raise OSError(f"{path} cannot be written: {error}") from error
