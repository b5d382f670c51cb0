"""Put a checkpoint into a network: one of ours, or a file as the super-network's authors publish it.

Every tensor of the network must be in the file, and every tensor of the file in the network or ignored on purpose.
Nothing is loaded by halves.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CheckpointMismatch, SupernetError
from ..weight_files import SHIPPED
from .files import read_tensors
from .plain import PlainNames
from .published import FORMATS, published_for
from .statistics import OURS as STATISTICS
from .statistics import statistics_to_keep

if TYPE_CHECKING:
    from torch import Tensor

    from ..elastic import ElasticNetwork

OURS = "slots."  # what every tensor of an elastic network is called by first


def load_checkpoint(network: ElasticNetwork, path: str | Path) -> None:
    """Copy the tensors of `path` into `network`, and keep the running statistics that it brings for the largest.

    Raises CheckpointMismatch, naming the first tensor that differs and the space that the file fits, if there is one.
    """
    path = Path(path)
    tensors = read_tensors(path)
    translated = named_for(network, tensors)
    expected = shapes_of(network.state_dict())
    difference = first_difference(expected, shapes_of(translated))
    if difference is not None:
        name, found, needed = difference
        raise CheckpointMismatch(
            f"{path} belongs to another network: tensor {name!r} is {found or 'absent'}, "
            f"{network.space.name} {f'needs {needed}' if needed is not None else 'has none'}"
            f"{advice(network.space.name, tensors)}",
            tensor=name,
        )
    network.load_state_dict({name: tensor.float() for name, tensor in translated.items()})
    network.parent_statistics = statistics_to_keep(network, tensors)


def named_for(network: ElasticNetwork, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors as `named_as_ours` does, also those of a plain network of the user's own blocks."""
    named = named_as_ours(network.space.name, tensors)
    is_ours = any(name.startswith(OURS) for name in tensors)
    return named if is_ours or published_for(network.space.name) else PlainNames(network).translated(named)


def named_as_ours(space: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors under the names of our network for `space`, whoever wrote them; running statistics are none."""
    published = published_for(space)
    if published is None or any(name.startswith(OURS) for name in tensors):
        return {name: tensor for name, tensor in tensors.items() if not name.startswith(STATISTICS)}
    with FORMATS.blaming(space.partition(":")[0]):
        return published.translated(tensors)


Shapes = Mapping[str, tuple[int, ...]]


def shapes_of(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor."""
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def first_difference(
    expected: Shapes, found: Shapes
) -> tuple[str, tuple[int, ...] | None, tuple[int, ...] | None] | None:
    """Return the first tensor whose shape differs, as found and as expected (None: absent); None when all agree."""
    for name, shape in expected.items():
        if found.get(name) != shape:
            return name, found.get(name), shape
    for name, shape in found.items():
        if name not in expected:
            return name, shape, None
    return None


def advice(space: str, tensors: Mapping[str, Tensor]) -> str:
    """Say which space the tensors fit, or which file `space` expects; nothing where neither is known."""
    fitting = space_that_fits(tensors)
    if fitting is not None:
        return f"; the file fits {fitting}: name that space"
    published = published_for(space)
    return f"; expected {published.expected(space)}" if published else ""


def space_that_fits(tensors: Mapping[str, Tensor]) -> str | None:
    """Return the first space, of those that weights ship for or are published for, whose network takes `tensors`."""
    import torch

    from ..elastic import ElasticNetwork
    from ..registry import load_space

    for space in spaces_with_files():
        try:
            found = named_as_ours(space, tensors)
            loaded = load_space(space)
        except SupernetError:
            continue
        with torch.device("meta"):  # shapes alone, no memory
            expected = shapes_of(ElasticNetwork(loaded).state_dict())
        if first_difference(expected, shapes_of(found)) is None:
            return space
    return None


def spaces_with_files() -> tuple[str, ...]:
    """Name the spaces that weights ship for, and those that others publish weights for."""
    others = [file.space for _, published in FORMATS.loadable() for file in published.files]
    return tuple(dict.fromkeys([*(file.stem for file in sorted(SHIPPED.glob("*.safetensors"))), *others]))


def absent(space: str, path: str | Path) -> str:
    """Say that the checkpoint `path` is not there, and where one for `space` is published."""
    path = Path(path)
    published = published_for(space)
    hint = f"; expected is {published.expected(space)}" if published else ""
    return f"there is no checkpoint {path}{hint}"
