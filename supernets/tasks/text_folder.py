"""Text of your own in classes of your own: train and test files as text_files.py says, in a folder."""

from __future__ import annotations

from pathlib import Path

from ..data.labelled import ClassificationTask
from ..data.text import LabelledText, task_of_text
from ..data.text_files import EXPECTED
from ..errors import DataUnavailable
from ..space.space import SearchSpace
from .movie_reviews import files


def load(space: SearchSpace, folder: Path | None = None) -> ClassificationTask[LabelledText]:
    """Load the task from `folder`; raises DataUnavailable."""
    if folder is None:
        raise DataUnavailable(f"{space.name} classifies your own text; pass `data=FOLDER`; {EXPECTED}")
    return task_of_text("text_folder", space, *files(folder))
