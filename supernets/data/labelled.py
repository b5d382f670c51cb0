"""Labelled examples of any kind, and what a task of classification consists of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..errors import DataUnavailable, SupernetError
from ..metric import ACCURACY, Metric
from ..plugins import closest_hint

if TYPE_CHECKING:
    from torch import Tensor

    from ..elastic.network import Values

SPLITS = ("validation", "test")


class Labelled(Protocol):
    """Examples with a label each; `labels` is (n,)."""

    @property
    def labels(self) -> NDArray[np.int64]:
        """Return the class of each example, (n,)."""

    def __len__(self) -> int: ...

    def take(self, selection: slice | NDArray[np.integer]) -> Self:
        """Return the selected examples."""

    def inputs(self) -> NDArray[Any] | Mapping[str, NDArray[Any]]:
        """Return what the network takes in, (n, *input_shape); by name where it takes several."""

    def described(self) -> dict[str, Any]:
        """Say how an example becomes an input, for the record beside an exported file."""


@runtime_checkable
class Padded(Labelled, Protocol):
    """Examples whose inputs end in padding, which a network need not compute."""

    def lengths(self) -> NDArray[np.int64]:
        """Return how many entries of each input are no padding, at least one, (n,)."""


@runtime_checkable
class HasCompanions(Protocol):
    """Examples that an exported model takes in only with the help of files; none has to be so."""

    def companions(self) -> dict[str, bytes]:
        """Return the files, by name, that the model needs beside it."""


Examples = TypeVar("Examples", bound=Labelled)
ALIKE = 64  # padded examples that run together; more are less alike in length, and no faster


def share_of(examples: Examples, share: float) -> Examples:
    """Return about that share of the examples, at least one: the first of a fixed order that mixes them."""
    return examples if share >= 1.0 else examples.take(rows_of_share(len(examples), share))


def rows_of_share(n: int, share: float) -> NDArray[np.int64]:
    """Return the positions of about that share of `n` examples, at least one: the first of a fixed order."""
    return np.random.default_rng(n).permutation(n)[: max(1, round(share * n))]


def batches_of(examples: Labelled, size: int) -> Iterator[Values]:
    """Yield the inputs of all examples, `size` at a time: a split that is decoded when asked for is never whole."""
    for start in range(0, len(examples), size):
        yield inputs_of(examples.take(slice(start, start + size)))


def batches_to_run(examples: Labelled, size: int) -> tuple[NDArray[np.intp], Iterator[Values]]:
    """Return an order of all examples, (n,), and their inputs in it, at most `size` at a time.

    Padded examples go by length, each batch as long as its longest: what they lead to is what it is at full length.
    """
    if not isinstance(examples, Padded):
        return np.arange(len(examples)), batches_of(examples, size)
    lengths, size = examples.lengths(), min(size, ALIKE)
    order = np.argsort(lengths, kind="stable")

    def batches() -> Iterator[Tensor]:
        for start in range(0, len(order), size):
            chosen = order[start : start + size]
            yield tensors_of(examples.take(chosen))[0][:, : int(lengths[chosen[-1]])]

    return order, batches()


def inputs_of(examples: Labelled) -> Values:
    """Return inputs as torch tensors, those of a network of several by name."""
    import torch

    inputs = examples.inputs()
    if isinstance(inputs, Mapping):
        return {name: torch.from_numpy(one) for name, one in inputs.items()}
    return tensors_of(examples)[0]


def tensors_of(examples: Labelled) -> tuple[Tensor, Tensor]:
    """Return inputs, images in channels-last memory order, and labels, as torch tensors.

    Raises SupernetError for inputs by name: who uses this gives a network one.
    """
    import torch

    given = examples.inputs()
    if isinstance(given, Mapping):
        raise SupernetError(f"these examples have the inputs {', '.join(given)}; expected one")
    inputs = torch.from_numpy(given)
    if inputs.ndim == 4:
        inputs = inputs.contiguous(memory_format=torch.channels_last)
    return inputs, torch.from_numpy(examples.labels)


def top1_percent(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Return the share of rows of `logits` (n, classes) whose largest entry is the label, in percent."""
    return float(100.0 * np.mean(np.argmax(logits, axis=1) == labels))


@dataclass(frozen=True, slots=True)
class ClassificationTask(Generic[Examples]):
    """A task of classification. `validation` is what a search sees, `test` what is reported.

    `score` gives the `metric` of outputs (n, classes) for labels (n,), in its unit: top-1 accuracy in percent.
    """

    name: str
    calibration: Examples
    validation: Examples
    test: Examples
    metric: Metric = field(default=ACCURACY, kw_only=True)
    score: Callable[[NDArray[np.float32], NDArray[np.int64]], float] = field(default=top1_percent, kw_only=True)


Split = TypeVar("Split", covariant=True)


class HasSplits(Protocol[Split]):
    """A task with the two splits that sub-networks are judged on."""

    @property
    def name(self) -> str:
        """Return the task's name."""

    @property
    def validation(self) -> Split:
        """Return what a search sees."""

    @property
    def test(self) -> Split:
        """Return what is reported."""


def split_of(task: HasSplits[Split], name: str) -> Split:
    """Return the split called `name`; raises DataUnavailable for a name other than validation and test."""
    if name not in SPLITS:
        hint = closest_hint(name, SPLITS)
        raise DataUnavailable(f"task {task.name} has no split {name!r}; it has {' and '.join(SPLITS)}{hint}")
    return task.validation if name == "validation" else task.test


def top5_percent(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Return the share of rows of `logits` (n, classes) whose five largest entries hold the label's, in percent."""
    return float(100.0 * np.mean(np.any(np.argsort(-logits, axis=1)[:, :5] == labels[:, None], axis=1)))
