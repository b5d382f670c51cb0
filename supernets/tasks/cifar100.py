"""CIFAR-100: 60,000 colour images of 32 pixels in a hundred classes; of its two labels the finer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..data.cifar import Cifar
from ..data.folders import Preprocessing
from ..data.labelled import ClassificationTask
from ..space.space import SearchSpace

CIFAR100 = Cifar(
    name="cifar100",
    classes=100,
    label_bytes=2,
    training_files=("train.bin",),
    test_file="test.bin",
    archive="https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
    unpacked="cifar-100-binary",
    preprocessing=Preprocessing((0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762), margin=1.0),
)


def load(space: SearchSpace, folder: Path | None = None) -> ClassificationTask[Any]:
    """Load the data set from `folder`; raises DataUnavailable."""
    return CIFAR100.load(space, folder)


def training_split(space: SearchSpace, folder: Path) -> tuple[Any, Any]:
    """Return the images to train on, and those held out."""
    return CIFAR100.training_split(space, folder)
