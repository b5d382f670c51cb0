"""Your own images, a folder a class, scaled as EfficientNet-Lite expects them: (pixel - 127) / 128, all channels alike.

The layout is that of the task image_folder: `train/CLASS/IMAGE` and `val/CLASS/IMAGE` (or `test/CLASS/IMAGE`).
"""

from __future__ import annotations

from pathlib import Path

from ..data.folders import FolderImages, Preprocessing, task_of_folders, training_split_of_folders
from ..data.labelled import ClassificationTask
from ..errors import DataUnavailable
from ..space.space import SearchSpace

HALF = Preprocessing(mean=127 / 255, deviation=128 / 255)


def load(space: SearchSpace, folder: Path | None = None) -> ClassificationTask[FolderImages]:
    """Load the class folders in `folder`; raises DataUnavailable."""
    if folder is None:
        raise DataUnavailable("pass your images: `data=FOLDER` with train/CLASS/IMAGE and val/CLASS/IMAGE")
    return task_of_folders("image_folder_half", space, folder, HALF)


def training_split(space: SearchSpace, folder: Path) -> tuple[FolderImages, FolderImages]:
    """Return the images to train on, and those held out; raises DataUnavailable."""
    return training_split_of_folders(space, folder, HALF)
