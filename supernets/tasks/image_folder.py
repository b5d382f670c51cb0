"""Your own images, a folder a class: `train/CLASS/IMAGE` and `val/CLASS/IMAGE` (or `test/CLASS/IMAGE`).

Scaled as ImageNet is, which networks that started from its weights expect. Grey where a space has one channel.
"""

from __future__ import annotations

from pathlib import Path

from ..data.folders import IMAGENET as COLOUR
from ..data.folders import FolderImages, Preprocessing, task_of_folders, training_split_of_folders
from ..data.labelled import ClassificationTask
from ..errors import DataUnavailable
from ..space.space import SearchSpace

GREY = Preprocessing(mean=0.449, deviation=0.226)


def load(space: SearchSpace, folder: Path | None = None) -> ClassificationTask[FolderImages]:
    """Load the class folders in `folder`; raises DataUnavailable."""
    if folder is None:
        raise DataUnavailable("pass your images: `data=FOLDER` with train/CLASS/IMAGE and val/CLASS/IMAGE")
    return task_of_folders("image_folder", space, folder, preprocessing_for(space))


def training_split(space: SearchSpace, folder: Path) -> tuple[FolderImages, FolderImages]:
    """Return the images to train on, and those held out."""
    return training_split_of_folders(space, folder, preprocessing_for(space))


def preprocessing_for(space: SearchSpace) -> Preprocessing:
    """Return the scaling for the space's number of channels."""
    return GREY if space.input_shape[0] == 1 else COLOUR
