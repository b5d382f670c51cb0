"""The protocol of a super-network: what search and export know of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ..graph import PartModel
from ..metric import Answers, Metric, Runner
from ..precision import FP32
from ..space.space import Architecture, SearchSpace


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
