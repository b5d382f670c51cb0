"""A super-network: a search space, its shared weights, and the task they were trained for.

What kinds there are differ in what they take in and how they are judged; search and export know this protocol alone.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..inputs import ABSENT, fault_of_file, fault_of_folder
from .checkpoints.own_files import weights_of
from .errors import CheckpointMismatch, DataUnavailable, UnknownSpace
from .evaluation.join import supernet_of
from .evaluation.supernet import Supernet
from .registry import load_space
from .space.space import SearchSpace
from .threads import import_torch
from .weight_files import spaces_with_weights, training_data_of

NO_TASK = "none"  # the task of a space whose networks nothing judges


def load_supernet(
    space: str,
    *,
    checkpoint: str | Path | None = None,
    data: str | Path | None = None,
    weight_bits: int | None = None,
) -> Supernet:
    """Load the super-network of `space`: our weights and embedded data, or the user's files.

    `weight_bits` are those of the weights of int8 files; None: as this machine takes them.
    Raises UnknownSpace when no weights ship for the space and none are given, CheckpointMismatch for weights of
    another network, DataUnavailable.
    """
    import_torch()
    data = None if data is None else Path(data)
    checkpoint = None if checkpoint is None else Path(checkpoint)
    from .checkpoints import absent, load_checkpoint, ways_to_weights
    from .elastic import ElasticNetwork
    from .tasks import load_task

    loaded = load_space(space).network
    require_folder(data)
    path = checkpoint or weights_of(loaded.name)
    if checkpoint is not None and fault_of_file(checkpoint) == ABSENT:
        raise CheckpointMismatch(absent(loaded.name, checkpoint), tensor="(file)")
    require_task(loaded)
    if path is None:
        raise UnknownSpace(
            f"no weights for {space!r}; there are some for {', '.join(spaces_with_weights())}. Latency, macs and "
            f"params need none; for accuracy {ways_to_weights(space)}"
        )
    network = ElasticNetwork(loaded)
    load_checkpoint(network, path)
    network.eval().requires_grad_(False)
    supernet = supernet_of(load_task(loaded, data), loaded, network, hashlib.sha256(path.read_bytes()).hexdigest())
    check_tokenizer(supernet, path)
    return supernet if weight_bits is None else supernet.with_weight_bits(weight_bits)


def require_folder(data: Path | None) -> None:
    """Raise DataUnavailable when a folder of data was given that is none."""
    if data is not None and (fault := fault_of_folder(data)):
        raise DataUnavailable(
            f"the folder of the data, {data}, {fault}; name the folder that holds the data set (`data`), "
            "or leave it out"
        )


def require_task(space: SearchSpace) -> None:
    """Raise DataUnavailable for a space without a task: nothing says how good its networks are."""
    if space.task == NO_TASK:
        raise DataUnavailable(
            f"space {space.name!r} has the task {NO_TASK!r}: no data say how good its networks are, so they can be "
            "neither trained nor validated here. Latency, macs and params can be searched; for accuracy give the space "
            "a task (docs/spaces.md), or tell values of your own to gnomon.Study"
        )


def check_tokenizer(supernet: Supernet, weights: Path) -> None:
    """Raise CheckpointMismatch when the weights' record names another tokenizer than the one that the task uses."""
    name = "tokenizer_sha256"
    trained = training_data_of(weights).get(name)
    used = supernet.described_input().get(name) if trained else None  # which may take reading a whole split
    if used and trained != used:
        raise CheckpointMismatch(
            f"{weights} was trained with the tokenizer of sha256 {trained}, the one in use has {used}: its ids are "
            "other words; put the right tokenizer.json into the folder of the `data`",
            tensor="(tokenizer)",
        )
