"""Joins a space, its weights and a task: which super-network evaluates which kind of data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from ..data.labelled import ClassificationTask
from ..data.pairs import TranslationTask
from ..errors import DataUnavailable
from ..space.space import SearchSpace
from .classifier import Classifier
from .supernet import Supernet
from .translator import Translator

if TYPE_CHECKING:
    from ..elastic import ElasticNetwork


@runtime_checkable
class JoinsItself(Protocol):
    """A task that is evaluated in its own way."""

    def supernet(self, space: SearchSpace, network: ElasticNetwork, checkpoint_sha256: str) -> Supernet:
        """Return the super-network that this task evaluates."""


def supernet_of(task: object, space: SearchSpace, network: ElasticNetwork, checkpoint_sha256: str) -> Supernet:
    """Return the super-network that `task` evaluates: as the task says itself, else by the kind of its data.

    Raises DataUnavailable for a task of unknown kind, or one that judges one output of a space that has several;
    CheckpointMismatch for weights of another vocabulary.
    """
    if isinstance(task, JoinsItself):
        return task.supernet(space, network, checkpoint_sha256)
    if isinstance(task, TranslationTask):
        return Translator(space, network, task, checkpoint_sha256)
    if not isinstance(task, ClassificationTask):
        raise DataUnavailable(
            f"task {space.task} is a {type(task).__name__}; expected ClassificationTask, TranslationTask, or one "
            "with a method `supernet` (docs/tasks.md)"
        )
    if len(space.outputs) > 1:
        raise DataUnavailable(
            f"task {task.name} judges one output, a score a class; {space.name} has the outputs "
            f"{', '.join(space.outputs)}: evaluate it yourself, with gnomon.Study"
        )
    return Classifier(space, network, task, checkpoint_sha256)
