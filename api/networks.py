"""Super-networks: which there are, how good their sub-networks are, and how their weights are made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..supernets import Architecture
    from ..supernets.evaluation.evaluate import Evaluated
    from ..supernets.training.recipe import Recipe


def spaces() -> tuple[str, ...]:
    """Name the registered search spaces.

    >>> "fashion_mnist" in gnomon.spaces()
    True
    """
    from ..supernets import space_names

    return space_names()


def evaluate(
    space: str,
    architectures: Sequence[Architecture],
    *,
    checkpoint: str | Path | None = None,
    data: str | Path | None = None,
    split: str = "test",
    precision: str = "fp32",
) -> tuple[Evaluated, ...]:
    """Evaluate sub-networks of `space` on all examples of a split: the metrics of their task, MACs and parameters.

    Raises UnknownSpace, CheckpointMismatch, DataUnavailable, InvalidArchitecture, PrecisionUnavailable.

    >>> space = gnomon.load_profile("fashion_mnist/amd-epyc-2c.onnxruntime.fp32.b1.t1").space
    >>> (found,) = gnomon.evaluate("fashion_mnist", [space.architecture(0 * space.radices)])
    >>> found.metrics["accuracy"] > 80
    True
    """
    from ..supernets.evaluation.evaluate import evaluate as evaluated
    from ..supernets.supernet import load_supernet

    supernet = load_supernet(space, checkpoint=checkpoint, data=data)
    return tuple(evaluated(supernet, architectures, split, precision=precision))


def train(
    space: str,
    *,
    data: str | Path | None = None,
    out: str | Path | None = None,
    parent: str | Path | None = None,
    recipe: Recipe | None = None,
    force: bool = False,
) -> Path:
    """Train the super-network of `space` by its recipe, or by the one given, and return the file of its weights.

    An interrupted call goes on when repeated. Raises SupernetError for a space without a recipe, UnknownSpace,
    DataUnavailable, CheckpointMismatch for a `parent` that does not fit, OutputUnusable.

    >>> from gnomon.supernets.training.recipe import Phase, Recipe
    >>> short = Recipe(phases=(Phase(epochs=1, learning_rate=0.004),), batch=128, random_subnets=0)
    >>> gnomon.train("fashion_mnist", data="fashion-mnist", out="short.safetensors", recipe=short).name
    'short.safetensors'
    """
    from ..supernets.training.to_file import TrainingRequest, train_to_file

    data, out, parent = (None if path is None else Path(path) for path in (data, out, parent))
    return train_to_file(TrainingRequest(space, data, out, parent, recipe, force))
