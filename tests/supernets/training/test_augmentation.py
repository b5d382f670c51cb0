from dataclasses import replace

import numpy as np
import pytest
import torch

from gnomon.supernets import SupernetError
from gnomon.supernets.data.images import LabelledImages
from gnomon.supernets.training.augmentation import augmented
from gnomon.supernets.training.recipe import Phase, Recipe
from gnomon.supernets.training.training_data.augmentation import erase, flip_and_shift
from gnomon.supernets.training.training_data.images import AUGMENTATIONS, ImageTrainingData


def test_shift_moves_by_at_most_its_pixels():
    images = torch.zeros(64, 1, 9, 9)
    images[:, 0, 4, 4] = 1
    moved = flip_and_shift(images, torch.Generator().manual_seed(0), pixels=2, mirrored_share=0.5)
    _, _, rows, columns = moved.nonzero(as_tuple=True)
    assert len(rows) == 64
    assert {*rows.tolist()} == {*columns.tolist()} == {2, 3, 4, 5, 6}


def test_erase_blanks_squares_in_about_half_of_the_images():
    images = torch.ones(400, 1, 28, 28)
    touched = (erase(images, torch.Generator().manual_seed(0), size=10).sum((1, 2, 3)) < 784).double().mean()
    assert 0.35 < touched < 0.65


@pytest.mark.parametrize(("share", "low", "high"), [(0.0, 0, 0), (0.5, 150, 250), (1.0, 400, 400)])
def test_a_share_of_the_images_is_mirrored(share, low, high):
    images = torch.zeros(400, 1, 5, 5)
    images[:, 0, 2, 0] = 1
    moved = flip_and_shift(images, torch.Generator().manual_seed(0), pixels=0, mirrored_share=share)
    assert low <= moved[:, 0, 2, 4].sum() <= high
    assert (moved.sum((1, 2, 3)) == 1).all()


def test_a_recipe_that_does_not_say_so_mirrors_nothing():
    images = LabelledImages(
        np.tile(np.arange(16, dtype=np.uint8), (64, 1)).reshape(64, 1, 4, 4), np.zeros(64, int), 0, 1
    )
    training_data = ImageTrainingData(images, images)
    recipe = Recipe((Phase(1, 0.1),), batch=64)
    ((batch, _),) = training_data.batches(recipe, recipe.phases[0], 0, torch.Generator().manual_seed(0))
    assert torch.equal(batch, torch.from_numpy(images.inputs()))


TWO = Recipe(
    (
        Phase(1, 0.1, augmentation={"mirror": 0.5, "shift_pixels": 3, "erase_pixels": 9}),
        Phase(1, 0.1, augmentation={"mirror": 0.5, "shift_pixels": 1}),
    )
)


@pytest.mark.parametrize(
    ("chosen", "first", "second"),
    [
        ("none", {}, {}),
        ("shift", {"shift_pixels": 3}, {"shift_pixels": 1}),
        ("erase, mirror", {"mirror": 0.5, "erase_pixels": 9}, {"mirror": 0.5, "erase_pixels": 6}),
        ("shift=4", {"shift_pixels": 4}, {"shift_pixels": 4}),
    ],
)
def test_a_choice_replaces_what_the_recipe_does(chosen, first, second):
    made = augmented(TWO, chosen, AUGMENTATIONS)
    assert [dict(phase.augmentation) for phase in made.phases] == [first, second]
    assert replace(made, phases=TWO.phases) == TWO


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ("mirrored", "some of mirror, shift, erase joined .*'mirrored' is none; did you mean 'mirror'"),
        ("shift,shift=2", "each once"),
        ("none,shift", "'none' is none"),
        ("", "'' is none"),
        ("shift=much", "'much' is no number"),
        ("shift=nan", "'nan' is no number"),
        ("shift=-1", "'-1' is no number"),
    ],
)
def test_another_choice_is_refused(chosen, message):
    with pytest.raises(SupernetError, match=message):
        augmented(TWO, chosen, AUGMENTATIONS)


def test_training_data_without_settings_take_none_alone():
    assert augmented(TWO, "none", {}).phases[0].augmentation == {}
    with pytest.raises(SupernetError, match="this training data has none"):
        augmented(TWO, "mirror", {})
