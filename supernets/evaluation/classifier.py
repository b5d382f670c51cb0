"""A super-network that classifies, images or text: its sub-networks are judged by top-1 accuracy, or as its task says.

Evaluating an architecture is a pure function of it: batch norm, where there is any, is calibrated on the same examples
every time, and nothing in the super-network changes. The largest sub-network of weights that came with running
statistics of their own keeps these: it is the network that was published.
"""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..data.labelled import (
    ClassificationTask,
    HasCompanions,
    Labelled,
    batches_of,
    batches_to_run,
    rows_of_share,
    share_of,
    split_of,
    top1_percent,
    top5_percent,
)
from ..graph import INPUT, OUTPUT, PartModel, models_from_architecture
from ..metric import ACCURACY, Answers, Metric, Runner
from ..precision import FP32, at_precision, precisions, runner_at, weight_bits_here
from ..precision.samples import Sample
from ..space.space import Architecture, SearchSpace
from ..space.wiring import named_inputs
from .calibration import CalibrationExamples
from .deciding import Outcomes

if TYPE_CHECKING:
    from ..elastic import ElasticNetwork, Statistics
    from ..elastic.network import Values

LOGGER = logging.getLogger("gnomon")  # without a handler of the caller's, warnings go to stderr as they are
BATCH, BATCH_VALUES = 128, 2**21  # 13 images of 3x224x224: more at once are slower, they leave the caches
CALIBRATION_BATCH, CALIBRATION_VALUES = 512, 2**24  # 111 images of 3x224x224: fewer would blur their statistics
ENOUGH = 500  # examples of calibration: what more gain is little (benchmarks/calibration_images.py, docs/images.md)
RANGE_EXAMPLES = 128  # that the ranges of int8 are taken from
FEW_CLASSES = 10


@dataclass(frozen=True)
class Classifier:
    """Weights of all sub-networks of `space`, and the `task` that evaluates them.

    `target_weight_bits` are those that int8 weights have for the device that they are for; None: for this machine.
    """

    space: SearchSpace
    network: ElasticNetwork
    task: ClassificationTask[Any]
    checkpoint_sha256: str
    target_weight_bits: int | None = None
    doubts: list[str] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def metric(self) -> Metric:
        """Return what the task judges by."""
        return self.task.metric

    @property
    def precisions(self) -> tuple[str, ...]:
        """Return the precisions that sub-networks can be had in."""
        return precisions()

    @property
    def calibration(self) -> dict[str, Any]:
        """Say which examples the ranges of int8 are taken from."""
        return {"split": "calibration" if len(self.task.calibration) else "validation", "examples": RANGE_EXAMPLES}

    @property
    def weight_bits(self) -> int:
        """Return the bits of the weights of int8 files."""
        return self.target_weight_bits or weight_bits_here()

    def with_weight_bits(self, weight_bits: int | None) -> Classifier:
        """Return the same with so many bits for the weights of int8 files."""
        return replace(self, target_weight_bits=weight_bits)

    def evaluate(
        self, architecture: Architecture, split: str = "validation", share: float = 1.0, *, precision: str = FP32
    ) -> float:
        """Return the metric of the sub-network on a split ("validation" or "test").

        With a `share` below 1 it is calibrated and judged on that share of the examples, the same for every
        architecture; a larger share contains a smaller. At a `precision` other than fp32 the very file that `models`
        makes is run; raises PrecisionUnavailable where this machine cannot.
        """
        data = share_of(self.split(split), share)
        return self.task.score(self.logits_at(precision, architecture, data, share), data.labels)

    @property
    def has_outcomes(self) -> bool:
        """Whether the task judges by top-1 accuracy, which is made of outcomes."""
        return self.metric == ACCURACY and self.task.score is top1_percent

    def class_counts(self, split: str = "validation") -> NDArray[np.int64]:
        """Count the examples of each class in a split, (classes,); none where the task judges by something else."""
        labels = self.split(split).labels if self.has_outcomes else np.empty(0, dtype=np.int64)
        return np.bincount(labels).astype(np.int64)

    def examples_sha256(self, split: str = "validation") -> str:
        """Return the digest of the examples of a split: of their labels, in order."""
        return hashlib.sha256(self.split(split).labels.astype("<i8").tobytes()).hexdigest()

    def outcomes(
        self,
        architecture: Architecture,
        split: str = "validation",
        rows: NDArray[np.int64] | None = None,
        *,
        precision: str = FP32,
    ) -> Outcomes:
        """Return what the sub-network is right about, on the examples of a split at `rows` (k,), in order; None: all.

        Batch norm is calibrated on the same share of the calibration examples, so that it costs that share too.
        """
        whole = self.split(split)
        data, share = (whole, 1.0) if rows is None else (whole.take(rows), len(rows) / len(whole))
        return Outcomes.of(self.logits_at(precision, architecture, data, share), data.labels)

    def logits(self, architecture: Architecture, data: Labelled, share: float = 1.0) -> NDArray[np.float32]:
        """Run the sub-network, calibrated on a share of the calibration examples, in torch on `data`, (n, classes)."""
        statistics = self.statistics(architecture, share)
        order, batches = batches_to_run(data, self.batch(BATCH, BATCH_VALUES))
        outputs = self.network.logits_of(batches, architecture, statistics).numpy()
        logits = np.empty_like(outputs, dtype=np.float32)
        logits[order] = outputs
        return logits

    def statistics(self, architecture: Architecture, share: float = 1.0) -> Statistics:
        """Return the sub-network's batch-norm statistics: the weights' own, or on a share of the calibration examples.

        Whatever runs, is exported or quantised takes them from here, so all are one network.
        """
        own = self.network.own_statistics(architecture)
        if own is not None:
            return own
        statistics = self.calibration_examples.statistics(architecture, share)
        if statistics and len(self.task.calibration) < ENOUGH:
            self.doubt_once()
        return statistics

    def calibration_batches(self, rows: NDArray[np.int64] | None = None) -> Iterator[Values]:
        """Yield the calibration examples at `rows` (k,); None: all."""
        examples = self.task.calibration if rows is None else self.task.calibration.take(rows)
        return batches_of(examples, self.batch(CALIBRATION_BATCH, CALIBRATION_VALUES))

    @cached_property
    def calibration_examples(self) -> CalibrationExamples:
        """What batch norm is calibrated on; calibrations on a share depend on the weights alone."""
        return CalibrationExamples(self.network, len(self.task.calibration), self.calibration_batches)

    def doubt_once(self) -> None:
        """Say on the log, once, that batch norm has too few examples to be calibrated on."""
        if not self.doubts:
            self.doubts.append(
                f"batch norm of sub-networks is calibrated on {len(self.task.calibration)} training images, "
                f"{ENOUGH} are enough: with so few, accuracies may be low by tenths of a point or points; give more"
            )
            LOGGER.warning("note: %s", self.doubts[0])

    def batch(self, most: int, values: int) -> int:
        """Return how many examples run at once: `most`, or fewer where they have more than `values` together."""
        shapes = [one.shape for _, one in self.space.inputs] or [self.space.input_shape]
        return max(1, min(most, values // sum(map(math.prod, shapes))))

    def arrays(self, batch: Values) -> dict[str, NDArray[Any]]:
        """Return a batch as the model takes it: arrays by the names of its inputs."""
        named = named_inputs(self.space, batch)
        return {name: np.ascontiguousarray(tensor.numpy()) for name, tensor in named.items()}

    @property
    def output(self) -> str:
        """Return what the model calls its output."""
        return next(iter(self.space.outputs), OUTPUT)

    def split(self, name: str) -> Labelled:
        """Return the examples of a split; raises DataUnavailable for a name other than validation and test."""
        examples: Labelled = split_of(self.task, name)
        return examples

    def models(self, architecture: Architecture, *, batch: int = 1, precision: str = FP32) -> tuple[PartModel, ...]:
        """Return the sub-network as an ONNX model, batch norm calibrated and folded in.

        The ranges of int8 are those of 128 calibration examples, whatever the batch; where a task has none, of so many
        validation examples, without their labels. Raises SupernetError for an unknown precision.
        """
        return self.models_on(architecture, 1.0, batch=batch, precision=precision)

    def models_on(self, architecture: Architecture, share: float, *, batch: int, precision: str) -> tuple[PartModel]:
        """Return the same with batch norm calibrated on a share of the calibration examples."""
        weights = self.network.folded(architecture, self.statistics(architecture, share))
        (part,) = models_from_architecture(self.space, architecture, weights, batch=batch)
        if precision == FP32:
            return (part,)
        at_once = math.gcd(RANGE_EXAMPLES, 1 << (self.batch(BATCH, BATCH_VALUES).bit_length() - 1))
        (sampled,) = models_from_architecture(self.space, architecture, weights, batch=at_once)
        samples, bits = self.range_samples(at_once), self.target_weight_bits
        converted = at_precision(part.model, precision, samples, sampled=sampled.model, weight_bits=bits)
        return (replace(part, model=converted),)

    def range_samples(self, at_once: int) -> Iterator[Sample]:
        """Yield the inputs that ranges are taken from, so many at once; examples that are too few repeat."""
        examples = self.task.calibration if len(self.task.calibration) else self.task.validation
        rows = np.resize(rows_of_share(len(examples), RANGE_EXAMPLES / len(examples)), RANGE_EXAMPLES)
        for batch in batches_of(examples.take(rows), at_once):
            yield self.arrays(batch)

    def logits_at(
        self, precision: str, architecture: Architecture, data: Labelled, share: float = 1.0
    ) -> NDArray[np.float32]:
        """Run the sub-network on `data`, (n, classes): in torch, or at another precision than fp32 the file of that."""
        if precision == FP32:
            return self.logits(architecture, data, share)
        size = min(self.batch(BATCH, BATCH_VALUES), len(data))
        (part,) = self.models_on(architecture, share, batch=size, precision=precision)
        run = runner_at(part.model, precision)
        found = []
        for batch in batches_of(data, size):
            given = self.arrays(batch)
            inputs = {n: np.resize(a, (size, *a.shape[1:])) for n, a in given.items()}  # the last batch repeats
            count = len(next(iter(given.values())))
            found.append(run(inputs)[self.output][:count].astype(np.float32))
        return np.concatenate(found)

    def size(self, split: str) -> int:
        """Count the examples of a split."""
        return len(self.split(split))

    def answers(self, architecture: Architecture, split: str, first: int | None = None) -> Answers:
        """Return torch's logits (n, classes) for the `first` examples of a split (None: all)."""
        return Answers((self.logits(architecture, self.split(split).take(slice(first))),))

    def answers_from(self, runners: Sequence[Runner], split: str, first: int | None = None) -> Answers:
        """Return what the exported model says, run on one example at a time."""
        (run,) = runners
        examples = self.split(split).take(slice(first))
        batches = (self.arrays(batch) for batch in batches_of(examples, self.batch(BATCH, BATCH_VALUES)))
        singles = (
            {name: np.ascontiguousarray(array[row : row + 1]) for name, array in batch.items()}
            for batch in batches
            for row in range(len(next(iter(batch.values()))))
        )
        rows = [run(single)[self.output][0] for single in singles]
        return Answers((np.array(rows, dtype=np.float32),))

    def score(self, answers: Answers, split: str) -> float:
        """Return the metric of answers to the first examples of a split."""
        (logits,) = answers.arrays
        return self.task.score(logits, self.split(split).labels[: len(logits)])

    def further_metrics(self, answers: Answers, split: str) -> dict[str, float]:
        """Return top-5 in percent beside an accuracy where there are more than ten classes."""
        (logits,) = answers.arrays
        if self.metric != ACCURACY or logits.shape[1] <= FEW_CLASSES:
            return {}
        return {"top5": top5_percent(logits, self.split(split).labels[: len(logits)])}

    def described_input(self) -> dict[str, Any]:
        """Say how an example becomes the model's input."""
        names = [name for name, _ in self.space.inputs] or [INPUT]
        named: dict[str, Any] = {"name": names[0]} if len(names) == 1 else {"names": names}
        return named | self.split("test").described()

    def companions(self) -> dict[str, bytes]:
        """Return the files that an exported model needs beside it: for text the tokenizer, for images none."""
        examples = self.split("test")
        return examples.companions() if isinstance(examples, HasCompanions) else {}
