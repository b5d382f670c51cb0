"""Read CIFAR-10 and CIFAR-100 (https://www.cs.toronto.edu/~kriz/cifar.html): the binary version, or class folders.

The binary version is records of label bytes and 3072 pixel bytes, red, green, blue. The "python version" is a pickle,
which could run anything, and is not read.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataUnavailable
from ..space.space import SearchSpace
from .folders import TRAINING_FOLDER, Preprocessing, classes_of, task_of_folders, training_split_of_folders
from .images import LabelledImages
from .labelled import ClassificationTask
from .reading import read_content

SHAPE = (3, 32, 32)
HELD_OUT, CALIBRATION = 5000, 2000
PICKLES = ("cifar-10-batches-py", "cifar-100-python", "data_batch_1", "train")  # what the python version unpacks to


@dataclass(frozen=True, slots=True)
class Cifar:
    """One of the two data sets; a record starts with `label_bytes`, of which the last is the class."""

    name: str
    classes: int
    label_bytes: int
    training_files: tuple[str, ...]
    test_file: str
    archive: str
    unpacked: str
    preprocessing: Preprocessing

    def load(self, space: SearchSpace, folder: Path | None) -> ClassificationTask[Any]:
        """Load the task from `folder`; the last tenth of the training images is held out. Raises DataUnavailable."""
        folder = self.checked(space, folder)
        if (folder / TRAINING_FOLDER).is_dir():
            return task_of_folders(self.name, space, folder, self.preprocessing)
        held_in, held_out = self.training_split(space, folder)
        return ClassificationTask(
            self.name, held_in.take(slice(CALIBRATION)), held_out, self.read(folder, (self.test_file,))
        )

    def training_split(self, space: SearchSpace, folder: Path) -> tuple[Any, Any]:
        """Return the images to train on, and those held out."""
        folder = self.checked(space, folder)
        if (folder / TRAINING_FOLDER).is_dir():
            return training_split_of_folders(space, folder, self.preprocessing)
        full = self.read(folder, self.training_files)
        n = min(HELD_OUT, len(full) // 10)
        return full.take(slice(len(full) - n)), full.take(slice(len(full) - n, None))

    def checked(self, space: SearchSpace, folder: Path | None) -> Path:
        """Return the folder that holds the files, checked against `space`; raises DataUnavailable."""
        if folder is None:
            raise DataUnavailable(f"no sample of {self.name} ships; pass `data=FOLDER` with what {self.archive} holds")
        if tuple(space.input_shape) != SHAPE:
            taken = "x".join(map(str, space.input_shape))
            raise DataUnavailable(f"images of {self.name} are 3x32x32, the networks of {space.name} take {taken}")
        if classes_of(space) != self.classes:
            raise DataUnavailable(
                f"{self.name} has {self.classes} classes, the networks of {space.name} tell {classes_of(space)} apart"
            )
        inside = folder / self.unpacked
        return inside if inside.is_dir() else folder

    def read(self, folder: Path, names: tuple[str, ...]) -> LabelledImages:
        """Read binary files; raises DataUnavailable."""
        records = np.concatenate([self.records(folder, name) for name in names])
        labels = records[:, self.label_bytes - 1].astype(np.int64)
        if labels.max(initial=0) >= self.classes:
            raise DataUnavailable(
                f"a label in {folder} is {labels.max()}, and {self.name} has {self.classes} classes; "
                f"expected are the files of {self.archive}"
            )
        images = records[:, self.label_bytes :].reshape(-1, *SHAPE)
        return LabelledImages(images, labels, self.preprocessing.mean, self.preprocessing.deviation)

    def records(self, folder: Path, name: str) -> Any:
        """Return a file's records, (n, label bytes + 3072); raises DataUnavailable."""
        path, size = folder / name, self.label_bytes + int(np.prod(SHAPE))
        try:
            content = np.frombuffer(read_content(path), np.uint8)
        except OSError as error:
            pickled = [folder / word for word in PICKLES if (folder / word).exists()]
            if pickled:
                raise DataUnavailable(
                    f"{pickled[0]} is of the python version of {self.name}, a pickle, which could run any program and "
                    f"is not read; download the binary version, {self.archive}, and unpack it"
                ) from error
            raise DataUnavailable(
                f"cannot read {path}: {error.strerror}; expected are the files of {self.archive}, or class folders "
                f"{TRAINING_FOLDER}/CLASS/IMAGE and test/CLASS/IMAGE"
            ) from error
        if not content.size or content.size % size:
            raise DataUnavailable(
                f"{path} has {content.size:,} bytes, which are no whole records of {size}; it is cut, or of another "
                f"data set; download {self.archive} again"
            )
        return content.reshape(-1, size)
