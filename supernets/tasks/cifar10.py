"""CIFAR-10: 60,000 colour images of 32 pixels in ten classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..data.cifar import Cifar
from ..data.folders import Preprocessing
from ..data.labelled import ClassificationTask
from ..space.space import SearchSpace

CIFAR10 = Cifar(
    name="cifar10",
    classes=10,
    label_bytes=1,
    training_files=tuple(f"data_batch_{n}.bin" for n in range(1, 6)),
    test_file="test_batch.bin",
    archive="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    unpacked="cifar-10-batches-bin",
    preprocessing=Preprocessing((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616), margin=1.0),
)


def load(space: SearchSpace, folder: Path | None = None) -> ClassificationTask[Any]:
    """Load the data set from `folder`; raises DataUnavailable."""
    return CIFAR10.load(space, folder)


def training_split(space: SearchSpace, folder: Path) -> tuple[Any, Any]:
    """Return the images to train on, and those held out."""
    return CIFAR10.training_split(space, folder)
