"""Data sets of image files, a folder a class: `train/CLASS/*.jpg` and `val/CLASS/*` (or `test/CLASS/*`).

That is ImageNet's layout and everyone's. Classes are numbered in the order of their sorted names. What a search
validates on, and what batch norm is calibrated on, are training images chosen by a hash of their names: the same ones
on every machine, whatever else changes; a training run leaves the first out. The published validation images are the
test.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataUnavailable
from ..space.space import SearchSpace
from .decoding import DecodedFiles, Decoding, decoded_files
from .images import PerChannel, scaled, scaling_said
from .labelled import ClassificationTask

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm", ".tif", ".tiff", ".gif")
TRAINING_FOLDER, TEST_FOLDERS = "train", ("val", "test")
HELD_OUT, HELD_OUT_SHARE = 10_000, 0.1  # whichever is fewer
CALIBRATION = 2000


@dataclass(frozen=True, slots=True)
class FolderImages:
    """Images in files, decoded when they are asked for; `positions` and `labels` are (n,)."""

    files: DecodedFiles
    positions: NDArray[np.int64]
    labels: NDArray[np.int64]
    mean: PerChannel
    deviation: PerChannel

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, selection: slice | NDArray[np.integer]) -> FolderImages:
        """Return the selected images."""
        return FolderImages(self.files, self.positions[selection], self.labels[selection], self.mean, self.deviation)

    def inputs(self) -> NDArray[np.float32]:
        """Return the images scaled to zero mean and unit deviation, (n, channels, height, width)."""
        return scaled(self.files.images(self.positions), self.mean, self.deviation)

    def described(self) -> dict[str, Any]:
        """Say how a file becomes an input."""
        return {"geometry": self.files.decoding.said(), "scaling": scaling_said(self.mean, self.deviation)}


@dataclass(frozen=True, slots=True)
class ClassFiles:
    """Names of image files, each with its class; sorted by class, then name."""

    folder: Path
    names: tuple[str, ...]  # CLASS/FILE
    labels: NDArray[np.int64]
    classes: tuple[str, ...]

    def take(self, selection: NDArray[np.integer]) -> ClassFiles:
        """Return the selected files, in that order."""
        return ClassFiles(self.folder, tuple(self.names[i] for i in selection), self.labels[selection], self.classes)

    def images(self, decoding: Decoding, mean: PerChannel, deviation: PerChannel) -> FolderImages:
        """Return the files' images; none is decoded yet."""
        files = decoded_files(tuple(self.folder / name for name in self.names), decoding)
        return FolderImages(files, np.arange(len(self.labels)), self.labels, mean, deviation)


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """What a network expects of its images."""

    mean: PerChannel
    deviation: PerChannel
    margin: float = 0.875


IMAGENET = Preprocessing(mean=(0.485, 0.456, 0.406), deviation=(0.229, 0.224, 0.225))


def task_of_folders(
    name: str, space: SearchSpace, folder: Path, preprocessing: Preprocessing
) -> ClassificationTask[FolderImages]:
    """Return the task of the class folders in `folder`, for the networks of `space`; raises DataUnavailable."""
    training = class_files(folder / TRAINING_FOLDER)
    test = class_files(test_folder(folder))
    check_classes(space, training, test)
    held_in, held_out = held_apart(training)
    calibration = held_in.take(by_hash(held_in)[:CALIBRATION])
    decoding = decoding_for(space, preprocessing)
    splits = [
        files.images(decoding, preprocessing.mean, preprocessing.deviation) for files in (calibration, held_out, test)
    ]
    return ClassificationTask(name, *splits)


def training_split_of_folders(
    space: SearchSpace, folder: Path, preprocessing: Preprocessing
) -> tuple[FolderImages, FolderImages]:
    """Return the images to train on, and those held out, which a search validates on; raises DataUnavailable."""
    training = class_files(folder / TRAINING_FOLDER)
    check_classes(space, training)
    decoding = decoding_for(space, preprocessing)
    held_in, held_out = (
        files.images(decoding, preprocessing.mean, preprocessing.deviation) for files in held_apart(training)
    )
    return held_in, held_out


def class_files(folder: Path) -> ClassFiles:
    """Return the image files in the class folders of `folder`; raises DataUnavailable for a layout that is not that."""
    classes = tuple(sorted(entry.name for entry in listed(folder) if entry.is_dir() and entry.name[0] != "."))
    if not classes:
        raise DataUnavailable(f"{folder} holds no class folders; expected {folder.name}/CLASS/IMAGE, a folder a class")
    names: list[str] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        files = sorted(entry.name for entry in listed(folder / name) if entry.name.lower().endswith(ENDINGS))
        if not files:
            raise DataUnavailable(
                f"class {name!r} in {folder} holds no image; take the folder out, or fill it "
                f"(read are {', '.join(ENDINGS)})"
            )
        names += [f"{name}/{file}" for file in files]
        labels += [label] * len(files)
    return ClassFiles(folder, tuple(names), np.array(labels, dtype=np.int64), classes)


def listed(folder: Path) -> list[os.DirEntry[str]]:
    """Return what is in a folder; raises DataUnavailable."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise DataUnavailable(
            f"cannot read {folder}: {error.strerror}; `data` expects a folder with "
            f"{TRAINING_FOLDER}/CLASS/IMAGE and {TEST_FOLDERS[0]}/CLASS/IMAGE"
        ) from error


def test_folder(folder: Path) -> Path:
    """Return the folder of the images to test on: val, or test where there is no val."""
    found = [folder / name for name in TEST_FOLDERS if (folder / name).is_dir()]
    return found[0] if found else folder / TEST_FOLDERS[0]


def check_classes(space: SearchSpace, *splits: ClassFiles) -> None:
    """Check that all splits have the same classes, and as many as the networks of `space`; raises DataUnavailable."""
    first = splits[0]
    for other in splits[1:]:
        odd = sorted(set(first.classes) ^ set(other.classes))
        if odd:
            holder, lacking = (first, other) if odd[0] in first.classes else (other, first)
            raise DataUnavailable(
                f"class {odd[0]!r} is in {holder.folder} and not in {lacking.folder}; both need the same class folders"
            )
    expected = classes_of(space)
    if len(first.classes) != expected:
        raise DataUnavailable(
            f"{first.folder} has {len(first.classes)} classes, the networks of {space.name} tell {expected} apart; "
            "pass the data set that they were trained on"
        )


def classes_of(space: SearchSpace) -> int:
    """Return how many classes the networks of `space` tell apart: what their last layer says."""
    spec = next(spec for spec in reversed(space.slots[-1].specs) if spec is not None)
    return spec.integer("classes")


def decoding_for(space: SearchSpace, preprocessing: Preprocessing) -> Decoding:
    """Return how files become inputs of `space`."""
    channels, size, _ = space.input_shape
    return Decoding(channels, size, preprocessing.margin)


def held_apart(files: ClassFiles) -> tuple[ClassFiles, ClassFiles]:
    """Return the files to train on and those held out, in the order of their names."""
    if len(files.names) < 2:
        raise DataUnavailable(f"{files.folder} holds one image; to hold some out of training at least two are needed")
    n = max(1, min(HELD_OUT, round(HELD_OUT_SHARE * len(files.names))))
    order = by_hash(files)
    return files.take(np.sort(order[n:])), files.take(np.sort(order[:n]))


def by_hash(files: ClassFiles) -> NDArray[np.int64]:
    """Return the order of the files by the hash of their names, class included, (n,)."""
    hashes = [hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest() for name in files.names]
    return np.array(sorted(range(len(hashes)), key=hashes.__getitem__), dtype=np.int64)
