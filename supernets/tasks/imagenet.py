"""ImageNet (arXiv 1409.0575) in its class folders, or any data set in that layout with the classes of the network.

The 1,000 classes are the folders' names (n01440764, ...), sorted, as all published checkpoints number them.
"""

from __future__ import annotations

from pathlib import Path

from ..data.folders import IMAGENET, FolderImages, task_of_folders, training_split_of_folders
from ..data.labelled import ClassificationTask
from ..errors import DataUnavailable
from ..space.space import SearchSpace


def load(space: SearchSpace, folder: Path | None = None) -> ClassificationTask[FolderImages]:
    """Load the class folders in `folder`; raises DataUnavailable, also without a folder, for no sample ships."""
    if folder is None:
        raise DataUnavailable(
            "no sample of ImageNet ships; pass your own copy: `data=FOLDER` with train/CLASS/IMAGE and "
            "val/CLASS/IMAGE (https://image-net.org/download)"
        )
    return task_of_folders("imagenet", space, folder, IMAGENET)


def training_split(space: SearchSpace, folder: Path) -> tuple[FolderImages, FolderImages]:
    """Return the images to train on, and those held out."""
    return training_split_of_folders(space, folder, IMAGENET)
