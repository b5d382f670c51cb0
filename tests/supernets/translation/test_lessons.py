import numpy as np
import pytest
import torch

from gnomon.supernets.layers.kinds.source_embedding import TABLE
from gnomon.supernets.space.space import SearchSpace
from gnomon.supernets.training.lessons.translation import TranslationLessons
from gnomon.supernets.training.recipe import Phase, Recipe
from gnomon.supernets.training.recipes import load_recipe
from gnomon.supernets.training.trainer import train

PHASE = Phase(1, 0.01)


@pytest.fixture
def lessons(pairs, vocabulary):
    return TranslationLessons(pairs, pairs, vocabulary, 24, 20)


def drawn(lessons, phase=PHASE, batch=4):
    recipe = Recipe(phases=(phase,), batch=batch)
    return list(lessons.batches(recipe, phase, 0, torch.Generator().manual_seed(1)))


def test_an_epoch_shows_every_pair_once(lessons):
    batches = drawn(lessons)
    assert len(batches) == lessons.steps(Recipe(phases=(PHASE,), batch=4)) == 3
    texts = [lessons.vocabulary.decode(row) for inputs, _ in batches for row in inputs.sources.tolist()]
    assert sorted(texts) == sorted(lessons.training.sources)


def test_the_decoder_reads_what_comes_before_what_it_is_to_say(lessons):
    for inputs, targets in drawn(lessons):
        assert (inputs.read[:, 0] == 1).all()
        assert torch.equal(inputs.read[:, 1:], targets[:, :-1])
        assert ((targets == 2).sum(1) == 1).all()


def test_unknown_tokens_hide_words_and_leave_what_is_to_be_said(lessons):
    hidden = Phase(1, 0.01, augmentation={"unknown": 1.0, "dropout": 0.25})
    for (inputs, targets), (seen, same) in zip(drawn(lessons, hidden), drawn(lessons)):
        assert inputs.dropout == 0.25
        assert torch.equal(targets, same)
        assert torch.equal(inputs.sources, torch.where(seen.sources > 3, 3, seen.sources))
        assert torch.equal(inputs.read, torch.where(seen.read > 3, 3, seen.read))


def test_padding_does_not_count_in_the_losses(lessons):
    targets = torch.tensor([[5, 2, 0, 0], [6, 7, 8, 2]])
    outputs, teacher = torch.randn(2, 4, 70), torch.randn(2, 4, 70)
    changed, other = outputs.clone(), teacher.clone()
    changed[0, 2:] += 3 * torch.randn(2, 70)
    other[0, 2:] += 3 * torch.randn(2, 70)
    assert lessons.loss(outputs, targets) == lessons.loss(changed, targets)
    assert lessons.distillation(outputs, teacher, targets) == lessons.distillation(changed, other, targets)
    assert lessons.distillation(teacher, teacher, targets) < lessons.distillation(outputs, teacher, targets)


def test_pairs_that_do_not_fit_are_left_out_and_counted(pairs, vocabulary):
    lessons = TranslationLessons(pairs, pairs, vocabulary, 24, 5)
    described = lessons.described()
    assert described["training_pairs"] == 12
    assert described["training_pairs_too_long"] == 12 - len(lessons.ids[0]) > 0
    assert all(len(ids) <= 5 for ids in lessons.ids[1])


@pytest.mark.slow
def test_training_learns_to_translate(lessons, space, tmp_path):
    """Thirty steps on a dozen sentences; the weights then know their vocabulary."""
    recipe = Recipe(phases=(Phase(10, 0.02),), batch=4, random_subnets=1, ema_decay=0.8)
    network, curve = train(space, lessons, recipe=recipe, checkpoint=tmp_path / "c")
    assert curve[-1].loss < 0.65 * curve[0].loss
    assert network.table(TABLE).vocabulary_sha256 == lessons.vocabulary.sha256


def test_shipped_recipe_reads_the_users_pairs(folder):
    module = load_recipe("translate_en_de")
    from gnomon.supernets import load_space

    space: SearchSpace = load_space("translate_en_de")
    lessons = module.lessons(space, folder)
    assert len(lessons.training) == 12
    assert (lessons.source, lessons.target) == (32, 40)
    assert all(np.isfinite(phase.learning_rate) for phase in module.recipe().phases)
