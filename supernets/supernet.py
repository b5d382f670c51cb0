"""A super-network: a search space, its shared weights, and the task they were trained for.

What kinds there are differ in what they take in and how they are judged; search and export know this protocol alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from .errors import CheckpointMismatch, DataUnavailable, UnknownSpace
from .graph import PartModel
from .metric import Answers, Metric, Runner
from .precision import FP32
from .registry import load_space
from .space.space import Architecture, SearchSpace
from .threads import import_torch
from .weight_files import lessons_of, spaces_with_weights, weights_of

if TYPE_CHECKING:
    from .elastic import ElasticNetwork

NO_TASK = "none"  # the task of a space whose networks nothing judges


class Supernet(Protocol):
    """Weights of all sub-networks of a space, and the task that judges them. Nothing in it ever changes."""

    @property
    def space(self) -> SearchSpace:
        """Return the space."""

    @property
    def metric(self) -> Metric:
        """Return what sub-networks are judged by."""

    @property
    def checkpoint_sha256(self) -> str:
        """Return the sha256 of the file that the weights came from."""

    @property
    def precisions(self) -> tuple[str, ...]:
        """Return the precisions that sub-networks can be had in."""

    @property
    def calibration(self) -> Mapping[str, Any]:
        """Say, for the record, which examples the ranges of int8 are taken from."""

    @property
    def weight_bits(self) -> int:
        """Return the bits of the weights of int8 files: 8, or 7 for processors whose kernels saturate with 8."""

    def with_weight_bits(self, weight_bits: int | None) -> Supernet:
        """Return the same with so many bits for the weights of int8 files; None: as this machine takes them."""

    def evaluate(
        self, architecture: Architecture, split: str = "validation", share: float = 1.0, *, precision: str = FP32
    ) -> float:
        """Return the metric of a sub-network on a share of a split, "validation" or "test".

        The examples of a share are the same for every architecture; a larger share contains a smaller. At another
        precision than fp32 the files of `models` are run, so nothing is assumed; raises PrecisionUnavailable where this
        machine cannot.
        """

    def models(self, architecture: Architecture, *, batch: int = 1, precision: str = FP32) -> tuple[PartModel, ...]:
        """Return the sub-network's parts as ONNX models at a precision; int8 by ranges on examples of the task."""

    def size(self, split: str) -> int:
        """Count the examples of a split."""

    def answers(self, architecture: Architecture, split: str, first: int | None = None) -> Answers:
        """Return what the sub-network says, in torch, to the `first` examples of a split (None: all)."""

    def answers_from(self, runners: Sequence[Runner], split: str, first: int | None = None) -> Answers:
        """Return what exported models, one runner a part, say to the same examples."""

    def score(self, answers: Answers, split: str) -> float:
        """Return the metric of answers to the first examples of a split."""

    def described_input(self) -> dict[str, Any]:
        """Say what the exported model takes in, for the record beside it."""

    def companions(self) -> dict[str, bytes]:
        """Return the files, by name, that an exported model needs beside it."""


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
    if checkpoint is not None and not checkpoint.is_file():
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
    supernet = load_task(loaded, data).supernet(loaded, network, hashlib.sha256(path.read_bytes()).hexdigest())
    check_tokenizer(supernet, path)
    return supernet if weight_bits is None else supernet.with_weight_bits(weight_bits)


def require_folder(data: Path | None) -> None:
    """Raise DataUnavailable when a folder of data was given that is none."""
    if data is not None and not data.is_dir():
        what = "is no folder" if data.exists() else "does not exist"
        raise DataUnavailable(
            f"the folder of the data, {data}, {what}; name the folder that holds the data set (`data`), or leave it out"
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
    trained = lessons_of(weights).get(name)
    used = supernet.described_input().get(name) if trained else None  # which may take reading a whole split
    if used and trained != used:
        raise CheckpointMismatch(
            f"{weights} was trained with the tokenizer of sha256 {trained}, the one in use has {used}: its ids are "
            "other words; put the right tokenizer.json into the folder of the `data`",
            tensor="(tokenizer)",
        )


def save_weights(network: ElasticNetwork, path: str | Path, *, float16: bool = False) -> None:
    """Write the network's tensors as safetensors, in 32 bits or 16, and in 32 the statistics that it came with."""
    path = Path(path)
    from safetensors.torch import save_file

    from .checkpoints.statistics import named_statistics

    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    kept = {name: tensor.half() for name, tensor in tensors.items()} if float16 else tensors
    save_file({**kept, **named_statistics(network)}, path)
