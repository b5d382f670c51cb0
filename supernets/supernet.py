"""A super-network: a search space, its shared weights, and the task they were trained for.

What kinds there are differ in what they take in and how they are judged; search and export know this protocol alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from .errors import CheckpointMismatch, UnknownSpace
from .graph import PartModel
from .metric import Answers, Metric, Runner
from .precision import FP32
from .registry import load_space
from .space import Architecture, SearchSpace
from .weight_files import lessons_of, spaces_with_weights, weights_of

if TYPE_CHECKING:
    from .elastic import ElasticNetwork


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


def load_supernet(space: str, *, checkpoint: Path | None = None, data: Path | None = None) -> Supernet:
    """Load the super-network of `space`: our weights and embedded data, or the user's files.

    Raises UnknownSpace when no weights ship for the space and none are given, CheckpointMismatch for weights of
    another network, DataUnavailable.
    """
    from .checkpoints import absent, load_checkpoint, ways_to_weights
    from .elastic import ElasticNetwork
    from .tasks import load_task

    loaded = load_space(space).network
    path = checkpoint or weights_of(loaded.name)
    if checkpoint is not None and not checkpoint.exists():
        raise CheckpointMismatch(absent(loaded.name, checkpoint), tensor="(file)")
    if path is None:
        raise UnknownSpace(
            f"no weights for {space!r}; there are some for "
            f"{', '.join(spaces_with_weights())}. Latency, macs and params need none; for accuracy "
            f"{ways_to_weights(space)}"
        )
    network = ElasticNetwork(loaded)
    load_checkpoint(network, path)
    network.eval().requires_grad_(False)
    supernet = load_task(loaded, data).supernet(loaded, network, hashlib.sha256(path.read_bytes()).hexdigest())
    check_tokenizer(supernet, path)
    return supernet


def check_tokenizer(supernet: Supernet, weights: Path) -> None:
    """Raise CheckpointMismatch when the weights' record names another tokenizer than the one that the task uses."""
    name = "tokenizer_sha256"
    trained = lessons_of(weights).get(name)
    used = supernet.described_input().get(name) if trained else None  # which may take reading a whole split
    if used and trained != used:
        raise CheckpointMismatch(
            f"{weights} was trained with the tokenizer of sha256 {trained}, the one in use has {used}: its ids are "
            "other words; put the right tokenizer.json into the folder of the data (--data)",
            tensor="(tokenizer)",
        )


def save_weights(network: ElasticNetwork, path: Path, *, float16: bool = False) -> None:
    """Write the network's tensors as safetensors, in 32 bits or 16, and in 32 the statistics that it came with."""
    from safetensors.torch import save_file

    from .checkpoints.statistics import named_statistics

    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    kept = {name: tensor.half() for name, tensor in tensors.items()} if float16 else tensors
    save_file({**kept, **named_statistics(network)}, path)
