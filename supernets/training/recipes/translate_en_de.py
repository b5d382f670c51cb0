"""How to train translate_en_de: the largest alone, then all sub-networks, three random ones a step.

The weights that ship come of two shorter runs, which the record beside them tells: four epochs of the largest and six
with one random sub-network a step, then, from those weights, six with three. One was too few: networks between the
smallest and the largest stayed behind both. From the shipped weights it goes on with --from.
"""

from __future__ import annotations

from pathlib import Path

from ...data.pairs import read_pairs
from ...data.prepare import data_folder
from ...families.encoder_decoder import target_of
from ...space.space import SearchSpace
from ...tasks.translation import vocabulary_for
from ..recipe import Phase, Recipe
from ..training_data.translation import TranslationTrainingData


def recipe() -> Recipe:
    """Return the recipe."""
    return Recipe(
        phases=(
            Phase(4, 0.002, elastic=()),
            Phase(12, 0.002, warmup=0.05),
        ),
        batch=64,
        weight_decay=0.01,
        betas=(0.9, 0.98),
        random_subnets=3,
        ema_decay=0.998,
        clip=1.0,
        bfloat16=True,
        float16_file=True,
    )


def training_data(space: SearchSpace, data: Path | None) -> TranslationTrainingData:
    """Return training data from the pairs in `data`; raises DataUnavailable."""
    folder = data or data_folder("home-assistant")
    training, validation = (read_pairs(folder, split) for split in ("train", "valid"))
    return TranslationTrainingData(
        training, validation, vocabulary_for(space, folder), space.input_shape[0], target_of(space)
    )
