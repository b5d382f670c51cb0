"""How long a training would take."""

import pytest

from gnomon.supernets import DataUnavailable
from gnomon.supernets.tasks import fashion_mnist
from gnomon.supernets.training.estimate import TrainingEstimate, estimate_training
from gnomon.supernets.training.recipe import Phase, Recipe
from gnomon.supernets.training.to_file import TrainingRequest


@pytest.mark.slow
def test_a_few_steps_say_what_all_take(small_data, tmp_path, monkeypatch):
    monkeypatch.setattr(fashion_mnist, "HELD_OUT", 100)
    recipe = Recipe(phases=(Phase(2, 0.004), Phase(3, 0.004)), batch=8, random_subnets=0)
    out = tmp_path / "w.safetensors"
    found = estimate_training(TrainingRequest("fashion_mnist", small_data, out, recipe=recipe))
    assert found.steps % 5 == 0
    assert found.steps > 5
    assert 0 < found.seconds[0] <= found.seconds[1]
    assert not list(tmp_path.glob("w.*"))


def test_the_least_and_the_most_are_of_the_quicker_and_the_slower_phase():
    assert TrainingEstimate(100, 0.5, 0.25).seconds == (25.0, 50.0)


def test_what_cannot_be_trained_cannot_be_estimated(tmp_path):
    with pytest.raises(DataUnavailable, match="gone"):
        estimate_training(TrainingRequest("fashion_mnist", tmp_path / "gone", tmp_path / "w.safetensors"))
