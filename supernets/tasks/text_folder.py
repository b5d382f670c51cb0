"""Text of your own in classes of your own: train and test files as text_files.py says, in a folder."""

from __future__ import annotations

from pathlib import Path

from ..errors import DataUnavailable
from ..space import SearchSpace
from .labelled import ClassificationTask
from .movie_reviews import files
from .text import LabelledText, task_of_text
from .text_files import EXPECTED


def load(space: SearchSpace, folder: Path | None = None) -> ClassificationTask[LabelledText]:
    """Load the task from `folder`; raises DataUnavailable."""
    if folder is None:
        raise DataUnavailable(f"{space.name} classifies your own text; pass `data=FOLDER`; {EXPECTED}")
    return task_of_text("text_folder", space, *files(folder))
