import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.supernets import SupernetError, load_space
from gnomon.supernets.recipes import recipe_names
from gnomon.supernets.training.recipe import Phase, Recipe, schedule
from gnomon.supernets.training.recipes import load_recipe
from gnomon.supernets.training.recipes.fashion_mnist import recipe as fashion_recipe
from gnomon.supernets.training.sandwich import Sandwich
from gnomon.supernets.training.to_file import shortened


def test_schedule_rises_then_falls_to_zero():
    factors = [schedule(progress, 0.1) for progress in np.linspace(0, 1, 21)]
    assert factors[0] == 0
    assert max(factors) == 1
    assert factors[-1] == pytest.approx(0)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=5).filter(sum), st.data())
def test_every_epoch_belongs_to_one_phase(lengths, data):
    recipe = Recipe(tuple(Phase(length, number) for number, length in enumerate(lengths, 1)))
    epoch = data.draw(st.integers(0, recipe.epochs - 1))
    phase, inside = recipe.phase_at(epoch)
    assert sum(lengths[: int(phase.learning_rate) - 1]) + inside == epoch
    with pytest.raises(ValueError, match="there is none"):
        recipe.phase_at(recipe.epochs)


@pytest.mark.slow
@given(st.sets(st.sampled_from(["kernel", "expand", "depth", "width.2", "kernel.1.1"])), st.integers(0, 99))
def test_only_genes_of_the_phase_s_families_vary(families, seed):
    space = load_space("fashion_mnist")
    sandwich = Sandwich(space, Phase(1, 0.1, elastic=tuple(sorted(families))), 3)
    for student in sandwich.students(np.random.default_rng(seed)):
        for choice, active, index in zip(space.choices, space.active([student.indices])[0], student.indices):
            varies = any(choice.name == family or choice.name.startswith(family + ".") for family in families)
            assert varies or not active or index == len(choice.options) - 1


def test_shipped_recipe_is_what_the_shipped_weights_were_made_with():
    recipe = fashion_recipe()
    assert [(phase.epochs, phase.learning_rate, dict(phase.augmentation)) for phase in recipe.phases] == [
        (24, 0.004, {"mirror": 0.5, "shift_pixels": 2, "erase_pixels": 10}),
        (20, 0.003, {"mirror": 0.5, "shift_pixels": 1, "erase_pixels": 6}),
    ]
    assert (recipe.batch, recipe.weight_decay, recipe.random_subnets, recipe.ema_decay) == (256, 0.02, 2, 0.998)
    assert {phase.warmup for phase in recipe.phases} == {0.1}


def test_shortened_recipe_is_one_phase_with_all_that_varies():
    recipe = Recipe((Phase(3, 0.1, elastic=()), Phase(2, 0.2, elastic=("kernel",)), Phase(4, 0.3)))
    assert shortened(recipe, 1).phases == (Phase(1, 0.1),)


def test_space_without_a_recipe_lists_those_with_one():
    with pytest.raises(SupernetError, match=r"no recipe to train 'ofa_resnet50'; there is one for .*fashion_mnist"):
        load_recipe("ofa_resnet50:resolution=160")


@pytest.mark.parametrize("name", recipe_names())
def test_recipes_fit_their_spaces(name):
    recipe, space = load_recipe(name).recipe(), load_space(name)
    assert recipe.epochs > 0
    assert recipe.phases[-1].elastic_genes(space).all(), "the last phase trains every gene"


def test_recipe_of_another_package_is_found_by_entry_point(tmp_path, monkeypatch):
    (tmp_path / "my_recipe.py").write_text("def recipe():\n    return 'mine'\n\ntraining_data = None\n")
    info = tmp_path / "my_recipe-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-recipe\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[gnomon.recipes]\nmine = my_recipe\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "mine" in recipe_names()
    assert load_recipe("mine:size=3").recipe() == "mine"
