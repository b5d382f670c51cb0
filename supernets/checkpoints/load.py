"""Put a checkpoint into a network: one of ours, or a file as the super-network's authors publish it.

Every tensor of the network must be in the file, and every tensor of the file in the network or ignored on purpose.
Nothing is loaded by halves.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CheckpointMismatch
from .advice import advice
from .files import read_tensors
from .shapes import first_difference, shapes_of
from .statistics import statistics_to_keep
from .translation import named_for

if TYPE_CHECKING:
    from ..elastic import ElasticNetwork

READING = 3  # numbers that a table notes of how other trainers read it


def load_checkpoint(network: ElasticNetwork, path: str | Path) -> None:
    """Copy the tensors of `path` into `network`, and keep the running statistics that it brings for the largest.

    Raises CheckpointMismatch, naming the first tensor that differs and the space that the file fits, if there is one,
    and for weights that are NaN or infinite.
    """
    path = Path(path)
    tensors = read_tensors(path)
    translated = named_for(network, tensors)
    for name in network.shared:
        reading = translated.get(f"shared.{name}.reading")
        if reading is not None and reading.shape == (READING,):
            network.table(name).keep_reading(*map(int, reading))
    difference = first_difference(shapes_of(network.state_dict()), shapes_of(translated))
    if difference is not None:
        name, found, needed = difference
        raise CheckpointMismatch(
            f"{path} belongs to another network: tensor {name!r} is {found or 'absent'}, "
            f"{network.space.name} {f'needs {needed}' if needed is not None else 'has none'}"
            f"{advice(network.space.name, path, tensors)}",
            tensor=name,
        )
    for name, tensor in translated.items():
        if not tensor.isfinite().all():
            raise CheckpointMismatch(
                f"{path} holds numbers that are none: {int((~tensor.isfinite()).sum())} of {tensor.numel()} in tensor "
                f"{name!r} are NaN or infinite, as after a training that diverged; expected finite weights",
                tensor=name,
            )
    network.load_state_dict({name: tensor.float() for name, tensor in translated.items()})
    network.parent_statistics = statistics_to_keep(network, tensors)
