"""The elastic BERT against a plain one written from the paper, in the names that Hugging Face's library publishes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional as F

from gnomon.supernets import CheckpointMismatch, UnknownSpace, load_space
from gnomon.supernets.checkpoints import load_checkpoint, read_tensors
from gnomon.supernets.checkpoints.advice import advice
from gnomon.supernets.checkpoints.testing import formula_weights
from gnomon.supernets.data.prepare import data_folder
from gnomon.supernets.elastic import ElasticNetwork
from gnomon.supernets.elastic.importance import units_of_sequence
from gnomon.supernets.layers.registry import operations
from gnomon.supernets.supernet import load_supernet
from gnomon.supernets.tasks.movie_reviews import PARENT
from gnomon.supernets.testing import SpaceContract
from gnomon.supernets.training.recipes.bert_minilm import read_parent

WIDTH, HIDDEN, LAYERS, WORDS, POSITIONS = 16, 24, 2, 30, 64
SQUARE = {"attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"}


def published_shapes(words=WORDS, positions=POSITIONS, width=WIDTH, hidden=HIDDEN, layers=LAYERS):
    """Names and shapes of a published encoder, a small one by default."""
    shapes = {
        "embeddings.word_embeddings.weight": (words, width),
        "embeddings.position_embeddings.weight": (positions, width),
        "embeddings.token_type_embeddings.weight": (2, width),
        "pooler.dense.weight": (width, width),
        "pooler.dense.bias": (width,),
    }
    linear = {**dict.fromkeys(SQUARE, (width, width)), "intermediate.dense": (hidden, width)}
    linear["output.dense"] = (width, hidden)
    norms = ["attention.output.LayerNorm", "output.LayerNorm"]
    for number in range(layers):
        for name, shape in linear.items():
            shapes[f"encoder.layer.{number}.{name}.weight"] = shape
            shapes[f"encoder.layer.{number}.{name}.bias"] = shape[:1]
    for name in ["embeddings.LayerNorm", *(f"encoder.layer.{n}.{norm}" for n in range(layers) for norm in norms)]:
        shapes |= {f"{name}.weight": (width,), f"{name}.bias": (width,)}
    return shapes


def plain_bert(weights, ids, *, head_dim):
    """Return the last layer's vectors (batch, tokens, width), written from arXiv 1810.04805."""

    def linear(x, name):
        return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def norm(x, name):
        return F.layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"], 1e-12)

    words, places, types = (weights[f"embeddings.{n}_embeddings.weight"] for n in ("word", "position", "token_type"))
    x = norm(words[ids] + places[: ids.shape[1]] + types[0], "embeddings.LayerNorm")
    hidden = torch.where(ids == 0, -torch.inf, 0.0)[:, None, None, :]
    number = 0
    while f"encoder.layer.{number}.output.dense.weight" in weights:
        layer = f"encoder.layer.{number}"
        q, k, v = (
            linear(x, f"{layer}.attention.self.{part}").unflatten(-1, (-1, head_dim)).transpose(1, 2)
            for part in ("query", "key", "value")
        )
        attended = (q @ k.transpose(2, 3) / head_dim**0.5 + hidden).softmax(-1) @ v
        x = norm(
            x + linear(attended.transpose(1, 2).flatten(2), f"{layer}.attention.output.dense"),
            f"{layer}.attention.output.LayerNorm",
        )
        fed = linear(F.gelu(linear(x, f"{layer}.intermediate.dense")), f"{layer}.output.dense")
        x = norm(x + fed, f"{layer}.output.LayerNorm")
        number += 1
    return x


def expected_logits(network, weights, ids, head_dim):
    vectors, real = plain_bert(weights, ids, head_dim=head_dim), (ids != 0)[:, :, None]
    mean = (vectors * real).sum(1) / real.sum(1)
    classifier = network.slots["classifier"].steps["classifier"].linear
    return F.linear(mean, classifier.weight, classifier.bias)


@pytest.fixture
def published(tmp_path):
    weights = formula_weights(published_shapes())
    path = tmp_path / "model.safetensors"
    save_file({**weights, "embeddings.position_ids": torch.arange(POSITIONS)[None]}, path)
    return weights, path


@pytest.fixture
def ids():
    ids = torch.randint(1, WORDS, (5, 12), generator=torch.Generator().manual_seed(1))
    ids[1, 7:] = 0
    ids[2, 2:] = 0
    return ids


class TestBertMinilm(SpaceContract):
    @pytest.fixture
    def space(self):
        return load_space("bert_minilm")


def largest(space):
    return space.architecture(space.radices - 1)


def test_largest_is_the_published_network_after_sorting_too(small_bert, published, ids):
    weights, path = published
    network = ElasticNetwork(small_bert).requires_grad_(False)
    read_parent(network, path)
    logits = network.logits(ids, largest(small_bert), {})
    assert torch.allclose(logits, expected_logits(network, weights, ids, 4), atol=1e-5)


def test_sorting_puts_the_most_important_first(small_bert, published):
    network = ElasticNetwork(small_bert)
    read_parent(network, published[1])
    sorted_units = [
        units.importance()
        for slot, spec in zip(small_bert.slots, small_bert.slot_specs(largest(small_bert)))
        for units in units_of_sequence(network.sequence(slot.name), operations(spec), slot.name)
    ]
    assert [len(values) for values in sorted_units] == 2 * [4, HIDDEN]
    assert all((values.diff() <= 1e-5).all() for values in sorted_units)


@pytest.mark.parametrize("prefix", ["", "bert."])
def test_other_spellings_of_the_names_are_read(small_bert, published, tmp_path, prefix, ids):
    weights, _ = published
    respelled = {
        prefix + name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
        for name, tensor in weights.items()
    }
    save_file(respelled, tmp_path / "respelled.safetensors")
    network = ElasticNetwork(small_bert).requires_grad_(False)
    read_parent(network, tmp_path / "respelled.safetensors")
    logits = network.logits(ids, largest(small_bert), {})
    assert torch.allclose(logits, expected_logits(network, weights, ids, 4), atol=1e-5)


def test_weights_of_the_super_network_keep_their_order(small_bert, published, tmp_path):
    torch.manual_seed(2)
    first = ElasticNetwork(small_bert)
    save_file(first.state_dict(), tmp_path / "ours.safetensors")
    second = ElasticNetwork(small_bert)
    read_parent(second, tmp_path / "ours.safetensors")
    assert all(torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values()))


def test_other_classes_keep_their_new_classifier(small_bert, published, tmp_path):
    save_file(ElasticNetwork(small_bert).state_dict(), tmp_path / "two.safetensors")
    network = ElasticNetwork(load_space("bert_minilm:tokens=12,classes=5"))
    own = network.slots["classifier"].steps["classifier"].linear.weight.clone()
    read_parent(network, tmp_path / "two.safetensors")
    assert torch.equal(own, network.slots["classifier"].steps["classifier"].linear.weight)


def changed(weights, change):
    if change == "layer":
        return {name: tensor for name, tensor in weights.items() if not name.startswith("encoder.layer.1.")}
    if change == "width":
        return weights | {"encoder.layer.0.output.dense.bias": torch.zeros(WIDTH + 1)}
    if change == "classifier":
        return weights | {"classifier.weight": torch.zeros(2, WIDTH), "classifier.bias": torch.zeros(2)}
    return weights | {"encoder.layer.0.lora.weight": torch.zeros(1)}


@pytest.mark.parametrize(
    ("change", "said"), [("layer", "layer2"), ("width", "layer1"), ("classifier", "pooler|classifier"), ("x", "lora")]
)
def test_another_network_is_no_parent(small_bert, published, tmp_path, change, said):
    save_file(changed(published[0], change), tmp_path / "other.safetensors")
    with pytest.raises(CheckpointMismatch, match=f"({said}).*gnomon data prepare"):
        read_parent(ElasticNetwork(small_bert), tmp_path / "other.safetensors")


@pytest.mark.slow
def test_an_encoder_alone_is_no_checkpoint(small_bert, published):
    with pytest.raises(CheckpointMismatch, match="classifier"):
        load_checkpoint(ElasticNetwork(small_bert), published[1])


@pytest.mark.slow
def test_the_published_encoder_is_not_refused_in_favour_of_itself():
    shapes = published_shapes(30_522, 512, 384, 1536, 6)
    tensors = {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
    said = advice("bert_minilm", Path("model.safetensors"), tensors)
    assert said.endswith("without a classifier: train one with gnomon train bert_minilm --from model.safetensors")


def test_where_there_are_no_weights_the_encoder_is_no_checkpoint_but_a_start(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(UnknownSpace, match=r"`checkpoint=FILE`, or make them: gnomon train bert_minilm, with .*MiniLM"):
        load_supernet("bert_minilm")


@pytest.mark.parametrize("option", ["tokens=7", "tokens=513", "classes=1", "tokens=many", "heads=3"])
def test_options_outside_are_refused(option):
    with pytest.raises(UnknownSpace, match=option.split("=")[0]):
        load_space(f"bert_minilm:{option}")


def test_real_parent_is_the_largest_sub_network():
    path = data_folder(PARENT) / "model.safetensors"
    if not path.exists():
        pytest.skip(f"run: gnomon data prepare {PARENT}")
    space = load_space("bert_minilm")
    network = ElasticNetwork(space).requires_grad_(False)
    read_parent(network, path)
    ids = torch.from_numpy(np.random.default_rng(0).integers(1000, 30000, (4, 48)))
    ids[1, 20:] = 0
    expected = expected_logits(network, read_tensors(path), ids, 32)
    assert torch.allclose(network.logits(ids, largest(space), {}), expected, atol=1e-4)
