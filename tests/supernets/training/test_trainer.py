import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gnomon.supernets import CheckpointMismatch, DataUnavailable, SupernetError, load_space
from gnomon.supernets.checkpoints import load_checkpoint
from gnomon.supernets.checkpoints.own_files import save_weights
from gnomon.supernets.elastic import ElasticNetwork
from gnomon.supernets.tasks.fashion_mnist import load
from gnomon.supernets.training import trainer
from gnomon.supernets.training.parent import Parent
from gnomon.supernets.training.recipe import Phase, Recipe
from gnomon.supernets.training.trainer import train
from gnomon.supernets.training.training_data.images import ImageTrainingData

pytestmark = pytest.mark.slow

STRONG, MILD = {"shift_pixels": 2, "erase_pixels": 10}, {"shift_pixels": 1, "erase_pixels": 6}
TINY = Recipe(
    phases=(Phase(1, 0.004, augmentation=STRONG), Phase(1, 0.004, augmentation=MILD)), batch=32, ema_decay=0.8
)
SHORT = replace(TINY, phases=TINY.phases[:1], random_subnets=0)


class Stop(Exception):
    pass


@pytest.fixture(scope="module")
def training_data():
    task = load(load_space("fashion_mnist"))
    return ImageTrainingData(task.validation.take(slice(96)), task.validation.take(slice(96, 128)))


@pytest.fixture
def space():
    return load_space("fashion_mnist")


def changed_by_training(space, training_data, recipe, folder):
    """Name the tensors that training moves from where it starts."""
    start, end = folder / "start.safetensors", []
    save_weights(ElasticNetwork(space), start)
    network, _ = train(
        space, training_data, recipe=recipe, checkpoint=folder / "c", parent=Parent(start, load_checkpoint)
    )
    before = ElasticNetwork(space)
    load_checkpoint(before, start)
    for name, tensor in before.state_dict().items():
        if not torch.equal(network.state_dict()[name], tensor):
            end.append(name)
    return end


def assert_equal_weights(one, other):
    for name, tensor in one.state_dict().items():
        assert torch.equal(other.state_dict()[name], tensor), name


def test_training_lowers_the_loss(space, training_data, tmp_path):
    recipe = replace(TINY, phases=(Phase(3, 0.004, augmentation=MILD),))
    _, curve = train(space, training_data, recipe=recipe, checkpoint=tmp_path / "c")
    assert curve[-1].loss < curve[0].loss


@pytest.fixture(scope="module")
def trained(training_data, tmp_path_factory):
    """The network, curve and checkpoint of a training of six steps, three a phase, that nothing stopped."""
    checkpoint = tmp_path_factory.mktemp("whole") / "c"
    return *train(load_space("fashion_mnist"), training_data, recipe=TINY, checkpoint=checkpoint), checkpoint


@pytest.fixture
def copied(trained, tmp_path):
    """A copy of that training's checkpoint."""
    return Path(shutil.copy(trained[2], tmp_path / "c"))


@pytest.mark.parametrize("stop_after", [1, 3, 4], ids=["within a phase", "at its end", "in the second"])
def test_training_stopped_after_a_step_ends_with_the_same_weights(
    stop_after, trained, space, training_data, tmp_path, monkeypatch
):
    monkeypatch.setattr(trainer, "CHECKPOINT_EVERY_S", 0.0)
    whole, whole_curve, _ = trained

    def stop(progress):
        if progress.done == stop_after + 1:  # the step before has been written
            raise Stop

    with pytest.raises(Stop):
        train(space, training_data, recipe=TINY, checkpoint=tmp_path / "cut", on_step=stop)
    steps = []
    resumed, curve = train(
        space,
        training_data,
        recipe=TINY,
        checkpoint=tmp_path / "cut",
        on_step=lambda progress: steps.append(progress.done),
    )
    assert steps == list(range(stop_after + 1, 7))
    assert [replace(point, seconds=0) for point in curve] == [replace(point, seconds=0) for point in whole_curve]
    assert_equal_weights(whole, resumed)


def test_progress_counts_all_steps_and_promises_less_and_less(space, training_data, tmp_path):
    seen = []
    train(space, training_data, recipe=TINY, checkpoint=tmp_path / "c", on_step=seen.append)
    assert [(progress.done, progress.total) for progress in seen] == [(done, 6) for done in range(1, 7)]
    assert seen[-1].eta_s == 0 < seen[0].eta_s


def test_phase_without_elastic_genes_trains_the_largest_alone(space, training_data, tmp_path):
    asked = []

    class Watched(ImageTrainingData):
        def forward(self, network, inputs, architecture):
            asked.append(space.values(architecture))
            return super().forward(network, inputs, architecture)

    recipe = replace(TINY, phases=(replace(TINY.phases[0], elastic=()), replace(TINY.phases[1], elastic=("kernel",))))
    train(space, Watched(training_data.training, training_data.validation), recipe=recipe, checkpoint=tmp_path / "c")
    largest = space.values(space.architecture(space.radices - 1))
    alone, varied = asked[:3], asked[3:]
    assert alone == [largest] * 3
    assert len(varied) == 3 * 4
    assert {value for name, value in varied[1].items() if name.startswith("kernel")} == {3}
    for values in varied:
        assert {name: value for name, value in values.items() if not name.startswith("kernel")} == {
            name: value for name, value in largest.items() if not name.startswith("kernel")
        }


def test_family_that_the_space_lacks_is_refused_before_training(space, training_data, tmp_path):
    recipe = replace(TINY, phases=(replace(TINY.phases[0], elastic=("heads",)),))
    with pytest.raises(SupernetError, match="'heads'; its families: kernel, expand, depth, width"):
        train(space, training_data, recipe=recipe, checkpoint=tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_parameters_at_rate_zero_stay_where_they_were(space, training_data, tmp_path):
    recipe = replace(TINY, rate_factors={"slots.stem": 0.0, "slots.head": 0.1})
    changed = changed_by_training(space, training_data, recipe, tmp_path)
    assert any(name.startswith("slots.head") for name in changed)
    assert not any(name.startswith("slots.stem") for name in changed)


def test_bfloat16_trains_float32_weights(space, training_data, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "multiplies_bfloat16", lambda: True)
    network, curve = train(space, training_data, recipe=replace(SHORT, bfloat16=True), checkpoint=tmp_path / "c")
    assert {tensor.dtype for tensor in network.state_dict().values()} == {torch.float32}
    assert curve[-1].loss < 4


def test_bfloat16_is_float32_where_the_processor_does_not_multiply_in_it(space, training_data, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "multiplies_bfloat16", lambda: False)
    network, _ = train(space, training_data, recipe=replace(SHORT, bfloat16=True), checkpoint=tmp_path / "c")
    expected, _ = train(space, training_data, recipe=SHORT, checkpoint=tmp_path / "d")
    assert_equal_weights(network, expected)


@pytest.mark.parametrize(
    ("change", "named"),
    [({"seed": 2}, "recipe.seed"), ({"rate_factors": {"stem": 0.5}}, "recipe.rate_factors.stem")],
)
def test_checkpoint_of_another_recipe_is_refused(change, named, space, training_data, copied):
    with pytest.raises(CheckpointMismatch, match=named):
        train(space, training_data, recipe=replace(TINY, **change), checkpoint=copied)


def test_a_checkpoint_that_says_lessons_goes_on(space, training_data, copied):
    state = torch.load(copied, weights_only=True)
    state["origin"]["lessons"] = state["origin"].pop("training_data")
    torch.save(state, copied)
    train(space, training_data, recipe=TINY, checkpoint=copied)


def test_checkpoint_of_other_data_is_refused(space, training_data, copied):
    fewer = ImageTrainingData(training_data.training.take(slice(64)), training_data.validation)
    with pytest.raises(CheckpointMismatch, match=r"training_data\.training_images"):
        train(space, fewer, recipe=TINY, checkpoint=copied)


def test_training_leaves_torchs_global_randomness_alone(space, training_data, tmp_path):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train(space, training_data, recipe=TINY, checkpoint=tmp_path / "c")
    assert torch.equal(torch.rand(3), expected)


def test_data_that_fill_no_batch_are_an_error(space, training_data, tmp_path):
    with pytest.raises(DataUnavailable, match=r"one batch of 128.*'training_images': 96"):
        train(space, training_data, recipe=replace(TINY, batch=128), checkpoint=tmp_path / "c")


WAYS = {
    "empty": lambda content: b"",
    "cut": lambda content: content[: len(content) // 2],
    "text": lambda content: b"early days",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_damaged_checkpoint_is_named_and_left_as_it_is(way, space, training_data, tmp_path):
    train(space, training_data, recipe=TINY, checkpoint=tmp_path / "c")
    damaged = WAYS[way]((tmp_path / "c").read_bytes())
    (tmp_path / "c").write_bytes(damaged)
    with pytest.raises(CheckpointMismatch, match="remove it to start again"):
        train(space, training_data, recipe=TINY, checkpoint=tmp_path / "c")
    assert (tmp_path / "c").read_bytes() == damaged


def test_a_checkpoint_without_its_parts_is_named(space, training_data, tmp_path):
    train(space, training_data, recipe=TINY, checkpoint=tmp_path / "c")
    state = torch.load(tmp_path / "c", weights_only=True)
    for part in state:
        torch.save({name: value for name, value in state.items() if name != part}, tmp_path / "c")
        with pytest.raises(CheckpointMismatch, match="remove it to start again"):
            train(space, training_data, recipe=TINY, checkpoint=tmp_path / "c")


def test_a_named_pipe_in_the_checkpoint_s_place_is_not_waited_for(space, training_data, tmp_path):
    os.mkfifo(tmp_path / "c")
    with pytest.raises(CheckpointMismatch, match="is a named pipe"):
        train(space, training_data, recipe=TINY, checkpoint=tmp_path / "c")
