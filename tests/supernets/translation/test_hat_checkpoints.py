"""HAT's published super-transformers against a plain one written from the paper, in the names that its fairseq saves.

The weights are a formula's; the sizes are a small family's, so that the real spaces are only held to their shapes.
"""

import argparse
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from gnomon.profilers.run_config import RunConfig
from gnomon.profilers.runtimes.registry import load_backend
from gnomon.supernets import CheckpointMismatch, UnknownSpace, load_space
from gnomon.supernets.checkpoints import load_checkpoint
from gnomon.supernets.checkpoints.advice import space_that_fits
from gnomon.supernets.checkpoints.own_files import save_weights
from gnomon.supernets.checkpoints.published import published_for
from gnomon.supernets.checkpoints.testing import formula_weights
from gnomon.supernets.data.pairs import START_ID
from gnomon.supernets.elastic import ElasticNetwork
from gnomon.supernets.evaluation.generation import greedy, start_of
from gnomon.supernets.evaluation.translator import decoded, script_for
from gnomon.supernets.graph import models_from_architecture
from gnomon.supernets.spaces.hat_transformer import FAMILIES

INNER, SOURCE_WORDS, TARGET_WORDS, TOKENS, STEPS = 8, 20, 14, 6, 5


def small(task):
    """HAT's family in small: widths of 8 and 12, two encoder and up to two decoder layers."""
    family = replace(
        FAMILIES[task],
        vocabulary=SOURCE_WORDS,
        target_vocabulary=TARGET_WORDS if task == "iwslt14" else 0,
        encoder_widths=(8, 12),
        decoder_widths=(8, 12),
        hidden=(8, 16),
        heads=(2, 4),
        encoder_layers=3,
        decoder_layers=(1, 2),
        attended=(1, 2, 3),
        head_dim=lambda heads: INNER // heads,
    )
    name = "hat_transformer" if task == "wmt14" else "hat_transformer:task=iwslt14"
    return family.space(name, "translation", source=TOKENS, target=STEPS, steps=STEPS)


def published_shapes(task, *, width, hidden, inner, layers, words, target_words):
    """Names and shapes of what fairseq saves of such a network."""
    shapes = {"encoder.embed_tokens.weight": (words, width), "decoder.embed_tokens.weight": (target_words, width)}
    if task == "iwslt14":
        shapes["decoder.embed_out"] = (target_words, width)
    for side, count in zip(("encoder", "decoder"), layers):
        shapes |= {f"{side}.version": (1,), f"{side}.embed_positions._float_tensor": (1,)}
        attentions = ["self_attn"] + (["encoder_attn"] if side == "decoder" else [])
        for number in range(count):
            at = f"{side}.layers.{number}"
            for attention in attentions:
                shapes[f"{at}.{attention}.in_proj_weight"] = (3 * inner, width)
                shapes[f"{at}.{attention}.in_proj_bias"] = (3 * inner,)
                shapes[f"{at}.{attention}.out_proj.weight"] = (width, inner)
                shapes[f"{at}.{attention}.out_proj.bias"] = (width,)
            shapes |= {f"{at}.fc1.weight": (hidden, width), f"{at}.fc1.bias": (hidden,)}
            shapes |= {f"{at}.fc2.weight": (width, hidden), f"{at}.fc2.bias": (width,)}
            for norm in [*(f"{attention}_layer_norm" for attention in attentions), "final_layer_norm"]:
                shapes |= {f"{at}.{norm}.weight": (width,), f"{at}.{norm}.bias": (width,)}
    return shapes


def published_tensors(task):
    """Formula-made weights; one table for all where the task has one vocabulary."""
    words = (SOURCE_WORDS, TARGET_WORDS if task == "iwslt14" else SOURCE_WORDS)
    shapes = published_shapes(
        task, width=12, hidden=16, inner=INNER, layers=(3, 2), words=words[0], target_words=words[1]
    )
    tensors = formula_weights(shapes)
    if task == "wmt14":
        tensors["decoder.embed_tokens.weight"] = tensors["encoder.embed_tokens.weight"].clone()
    return tensors


class Plain:
    """HAT's network: everything sliced from the front, heads of one width together, sines of the largest, sliced."""

    def __init__(self, tensors, values):
        self.t, self.values = tensors, values

    def linear(self, x, name, outs=None):
        weight, bias = self.t[f"{name}.weight"], self.t[f"{name}.bias"]
        return x @ weight[:outs, : x.shape[-1]].T + bias[:outs]

    def norm(self, x, name):
        n = x.shape[-1]
        return F.layer_norm(x, (n,), self.t[f"{name}.weight"][:n], self.t[f"{name}.bias"][:n], 1e-5)

    def attend(self, x, memory, name, heads, hidden):
        """Attention of x (queries, width) to memory (keys, width); `hidden` (queries, keys) says what is not seen."""
        weight, bias = self.t[f"{name}.in_proj_weight"], self.t[f"{name}.in_proj_bias"]
        read = [
            y @ weight[n * INNER : (n + 1) * INNER, : y.shape[-1]].T + bias[n * INNER : (n + 1) * INNER]
            for n, y in enumerate((x, memory, memory))
        ]
        query, key, value = (y.reshape(len(y), heads, INNER // heads).transpose(0, 1) for y in read)
        scores = (query * (INNER // heads) ** -0.5) @ key.transpose(1, 2)
        mixed = scores.masked_fill(hidden, -torch.inf).softmax(-1) @ value
        return self.linear(mixed.transpose(0, 1).reshape(len(x), INNER), f"{name}.out_proj", x.shape[-1])

    def feed(self, x, at, hidden):
        y = self.linear(F.relu(self.linear(x, f"{at}.fc1", hidden)), f"{at}.fc2", x.shape[-1])
        return self.norm(x + y, f"{at}.final_layer_norm")

    def embedded(self, ids, table, width):
        half = self.t[table].shape[1] // 2
        rates = torch.tensor([10_000.0 ** (-n / (half - 1)) for n in range(half)])
        angles = torch.arange(2, 2 + len(ids))[:, None] * rates
        positions = torch.cat([angles.sin(), angles.cos()], dim=1)
        return self.t[table][ids][:, :width] * width**0.5 + positions[:, :width]

    def logits(self, source, target):
        """Return the logits after each of the target's tokens; ids are fairseq's, 1 is padding."""
        v = self.values
        x, padded = self.embedded(source, "encoder.embed_tokens.weight", v["encoder_width"]), source == 1
        outputs = []
        for number in range(1, 4):
            at = f"encoder.layers.{number - 1}"
            y = self.attend(x, x, f"{at}.self_attn", v[f"encoder_heads.{number}"], padded[None, None])
            x = self.feed(self.norm(x + y, f"{at}.self_attn_layer_norm"), at, v[f"encoder_ffn.{number}"])
            outputs.append(x)
        y = self.embedded(target, "decoder.embed_tokens.weight", v["decoder_width"])
        later = torch.ones(len(target), len(target)).triu(1).bool()
        for number in range(1, v["decoder_depth"] + 1):
            at, attended = f"decoder.layers.{number - 1}", v[f"attended.{number}"]
            z = self.attend(y, y, f"{at}.self_attn", v[f"decoder_heads.{number}"], later)
            y = self.norm(y + z, f"{at}.self_attn_layer_norm")
            memory, hidden = torch.cat(outputs[::-1][:attended]), padded.repeat(attended)[None, None]
            z = self.attend(y, memory, f"{at}.encoder_attn", v[f"cross_heads.{number}"], hidden)
            y = self.norm(y + z, f"{at}.encoder_attn_layer_norm")
            y = self.feed(y, at, v[f"decoder_ffn.{number}"])
        out = self.t.get("decoder.embed_out", self.t["decoder.embed_tokens.weight"])
        return y @ out[:, : y.shape[-1]].T


SWAPPED = torch.tensor([1, 0, *range(2, SOURCE_WORDS)])  # between fairseq's numbers of <s> and padding, and ours


@pytest.fixture(params=["wmt14", "iwslt14"])
def loaded(request, tmp_path):
    """The task, the published tensors, and our network that read them from a file as fairseq's trainer saves it."""
    tensors = published_tensors(request.param)
    content = {"args": argparse.Namespace(arch="transformersuper"), "model": tensors, "extra_state": {"val_loss": 4.0}}
    torch.save(content, tmp_path / "HAT_super.pt")
    network = ElasticNetwork(small(request.param)).requires_grad_(False)
    load_checkpoint(network, tmp_path / "HAT_super.pt")
    return request.param, tensors, network


def sub_networks(space):
    rows = [space.radices - 1, space.radices * 0, *space.sample(4, np.random.default_rng(3))]
    return [space.architecture(row) for row in rows]


def test_logits_are_those_of_the_plain_network(loaded):
    _, tensors, network = loaded
    source, target = torch.tensor([4, 9, 7, 2, 1, 1]), torch.tensor([2, 5, 11, 6])
    for architecture in sub_networks(network.space):
        sides = {}
        network(SWAPPED[source][None], architecture, part=0, sides=sides)
        found = network(SWAPPED[target][None], architecture, part=1, sides=sides)[0]
        expected = Plain(tensors, network.space.values(architecture)).logits(source, target)
        expected = expected[:, SWAPPED[: expected.shape[1]]]
        assert torch.allclose(found, expected, atol=1e-4 * float(expected.abs().max()))


def test_the_exported_models_translate_as_torch_does_behind_the_end(loaded):
    task, tensors, network = loaded
    if task == "iwslt14":
        pytest.skip("two vocabularies: the task of translation has one")
    assert start_of(network) == 2
    sources = np.array([[4, 9, 7, 2, 0, 0]])
    for architecture in sub_networks(network.space):
        (translated,) = greedy(network, architecture, sources, STEPS)
        first = Plain(tensors, network.space.values(architecture)).logits(SWAPPED[sources[0]], torch.tensor([2]))
        assert translated[0] == int(SWAPPED[first[0].argmax()])
        parts = models_from_architecture(network.space, architecture, network.folded(architecture, {}))
        with (
            load_backend("onnxruntime").load(parts[0].model, RunConfig()) as encoder,
            load_backend("onnxruntime").load(parts[1].model, RunConfig()) as step,
        ):
            found = decoded(Loaded(encoder, parts[0]), Loaded(step, parts[1]), sources[0], STEPS, 2)
        assert found.tolist() == translated.tolist()


def test_the_exported_script_begins_behind_the_same_token():
    ours, theirs = (script_for(start).decode() for start in (START_ID, 2))
    assert 'values["input"] = np.array([[IDS["<s>"]]])' in ours
    assert 'values["input"] = np.array([[2]])' in theirs
    assert len(theirs.splitlines()) == len(ours.splitlines())


class Loaded:
    """A loaded model as `decoded` runs one."""

    def __init__(self, executable, part):
        self.executable = executable
        import onnx

        inputs = onnx.load_from_string(part.model).graph.input
        self.input_shapes = {i.name: tuple(d.dim_value for d in i.type.tensor_type.shape.dim) for i in inputs}

    def __call__(self, inputs):
        return self.executable.run(inputs)


def test_a_file_of_ours_reads_as_the_published_one(loaded, tmp_path):
    task, _, network = loaded
    save_weights(network, tmp_path / "ours.safetensors")
    again = ElasticNetwork(small(task))
    load_checkpoint(again, tmp_path / "ours.safetensors")
    assert all(torch.equal(tensor, again.state_dict()[name]) for name, tensor in network.state_dict().items())


@pytest.mark.slow
def test_a_file_for_another_space_is_told_which_it_fits():
    shapes = published_shapes(
        "iwslt14", width=640, hidden=2048, inner=512, layers=(6, 6), words=8848, target_words=6632
    )
    tensors = {key: torch.zeros(1).expand(shape) for key, shape in shapes.items()}
    assert space_that_fits("hat_transformer", tensors) == "hat_transformer:task=iwslt14"


def test_tables_of_one_vocabulary_that_differ_are_refused(tmp_path):
    tensors = published_tensors("wmt14")
    tensors["decoder.embed_tokens.weight"] += 1
    torch.save({"model": tensors}, tmp_path / "file")
    with pytest.raises(CheckpointMismatch, match="share one table or have three"):
        load_checkpoint(ElasticNetwork(small("wmt14")), tmp_path / "file")


@pytest.mark.parametrize(
    ("name", "hidden", "words", "target_words"),
    [
        ("hat_transformer", 3072, 32768, 32768),
        ("hat_transformer:vocabulary=40000", 3072, 40000, 40000),
        ("hat_transformer:task=iwslt14", 2048, 8848, 6632),
    ],
)
def test_real_spaces_have_the_shapes_of_the_published_files(name, hidden, words, target_words):
    task = "iwslt14" if "iwslt14" in name else "wmt14"
    shapes = published_shapes(
        task, width=640, hidden=hidden, inner=512, layers=(6, 6), words=words, target_words=target_words
    )
    with torch.device("meta"):
        needed = {key: tensor.shape for key, tensor in ElasticNetwork(load_space(name)).state_dict().items()}
    tensors = {key: torch.zeros(1).expand(shape) for key, shape in shapes.items()}
    found = {key: tensor.shape for key, tensor in published_for(name).translated(tensors).items()}
    assert {key: shape for key, shape in found.items() if not key.endswith(".reading")} == needed


def test_choices_are_those_of_the_authors_files():
    genes = {
        name: {choice.name: choice.options for choice in load_space(name).choices}
        for name in (
            "hat_transformer:task=iwslt14",
            "hat_transformer:choices=latency",
            "hat_transformer:task=iwslt14,choices=latency",
        )
    }
    assert genes["hat_transformer:task=iwslt14"]["encoder_ffn.1"] == (512, 1024, 2048)
    assert genes["hat_transformer:task=iwslt14"]["cross_heads.6"] == (2, 4)
    for name in list(genes)[1:]:
        assert genes[name]["decoder_ffn.6"] == (512, 1024, 2048, 3072)
        assert genes[name]["encoder_heads.1"] == (2, 4, 8)
        assert len(genes[name]) == 40


@pytest.mark.parametrize("options", ["task=wmt20", "choices=wide", "vocabulary=2", "task=iwslt14,vocabulary=100"])
def test_options_outside_are_refused(options):
    with pytest.raises(UnknownSpace, match="hat_transformer"):
        load_space(f"hat_transformer:{options}")
