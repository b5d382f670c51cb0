"""How the shipped weights of fashion_mnist were made: 44 epochs in two cycles, the second with milder augmentation."""

from __future__ import annotations

from pathlib import Path

from ...data.prepare import data_folder
from ...space.space import SearchSpace
from ...tasks.fashion_mnist import training_split
from ..recipe import Phase, Recipe
from ..training_data.images import ImageTrainingData


def recipe() -> Recipe:
    """Return the recipe."""
    return Recipe(
        phases=(
            Phase(24, 0.004, augmentation={"mirror": 0.5, "shift_pixels": 2, "erase_pixels": 10}),
            Phase(20, 0.003, augmentation={"mirror": 0.5, "shift_pixels": 1, "erase_pixels": 6}),
        )
    )


def training_data(space: SearchSpace, data: Path | None) -> ImageTrainingData:
    """Return training data from the full data set in `data`; raises DataUnavailable."""
    return ImageTrainingData(*training_split(data or data_folder("fashion-mnist")))
