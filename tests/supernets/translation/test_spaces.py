import math

import numpy as np
import onnx
import pytest
import torch

from gnomon.profilers.run_config import RunConfig
from gnomon.profilers.runtimes.registry import load_backend
from gnomon.supernets import UnknownSpace, load_space
from gnomon.supernets.elastic import ElasticNetwork
from gnomon.supernets.graph import graph_from_layers, models_from_architecture
from gnomon.supernets.layers.registry import params
from gnomon.supernets.testing import SpaceContract

BACKENDS = ["onnxruntime", "openvino"]


class TestLittle(SpaceContract):
    @pytest.fixture
    def space(self, space):
        return space


def test_hat_has_the_genes_and_options_of_its_authors():
    choices = load_space("hat_transformer").choices
    assert len(choices) == 40
    families = {}
    for choice in choices:
        family = families.setdefault(choice.name.partition(".")[0], [])
        family.append(choice.options)
    assert {name: (len(found), set(found)) for name, found in families.items()} == {
        "encoder_width": (1, {(512, 640)}),
        "decoder_width": (1, {(512, 640)}),
        "encoder_depth": (1, {(6,)}),
        "decoder_depth": (1, {(1, 2, 3, 4, 5, 6)}),
        "encoder_ffn": (6, {(1024, 2048, 3072)}),
        "decoder_ffn": (6, {(1024, 2048, 3072)}),
        "encoder_heads": (6, {(4, 8)}),
        "decoder_heads": (6, {(4, 8)}),
        "cross_heads": (6, {(4, 8)}),
        "attended": (6, {(1, 2, 3)}),
    }


def hat_values(*, decoder_ffn, attended, encoder_ffn=3072, width=512):
    deepest = (*decoder_ffn, *[1024] * 6)[:6]
    values = {"encoder_width": width, "decoder_width": width, "encoder_depth": 6, "decoder_depth": len(decoder_ffn)}
    for layer in range(1, 7):
        values |= {f"encoder_ffn.{layer}": encoder_ffn, f"decoder_ffn.{layer}": deepest[layer - 1]}
        values |= {f"{part}_heads.{layer}": 8 for part in ("encoder", "decoder", "cross")}
        values[f"attended.{layer}"] = (*attended, *[1] * 6)[layer - 1]
    return values


@pytest.mark.parametrize(
    ("values", "published_million"),
    [
        (hat_values(encoder_ffn=2048, decoder_ffn=[2048] * 6, attended=[1] * 6), 44),  # Transformer-Base
        (hat_values(decoder_ffn=[2048, 2048, 3072, 3072, 2048], attended=[1, 2, 2, 2, 1]), 48),  # HAT, BLEU 28.4
    ],
)
def test_hat_parameters_are_those_published(values, published_million):
    """Table 2 of arXiv 2005.14187, where embeddings are not counted."""
    space = load_space("hat_transformer")
    specs = space.slot_specs(space.architecture_of(values))
    blocks = [
        spec for spec in specs if spec is not None and spec.kind in ("source_layer", "cross_memory", "decoder_layer")
    ]
    assert round(sum(params(spec) for spec in blocks) / 1e6) == published_million


def test_macs_grow_with_steps_and_params_do_not():
    few, many = (load_space(f"translate_en_de:steps={steps}") for steps in (10, 20))
    row = [few.radices - 1]
    step = (many.macs(row) - few.macs(row)) / 10
    assert math.isclose(few.macs(row)[0], load_space("translate_en_de:steps=1").macs(row)[0] + 9 * step[0])
    assert few.params(row) == many.params(row)
    assert few.name != many.name


@pytest.mark.parametrize("options", ["steps=0", "steps=41", "source=1", "target=8"])
def test_lengths_that_do_not_fit_are_refused(options):
    with pytest.raises(UnknownSpace, match="expected source of 2 or more"):
        load_space(f"translate_en_de:{options}")


@pytest.mark.slow
def test_trained_parameters_hold_one_table(space, network):
    """Encoder, decoder and projection share it; the exported step holds it once too."""
    tables = [tensor for tensor in network.parameters() if len(tensor) == 70]
    assert [tuple(tensor.shape) for tensor in tables] == [(70, 24)]
    step = models_from_architecture(space, space.architecture(space.radices - 1))[1]
    arrays = onnx.load_from_string(step.model).graph.initializer
    assert [array.name for array in arrays if 70 in array.dims] == ["shared.table.tokens"]


def test_steps_with_a_cache_equal_reading_the_whole_sentence(space, network, architectures):
    ids, target = torch.randint(4, 70, (3, 9)), torch.randint(4, 70, (3, 7))
    ids[1, 5:] = 0
    for architecture in architectures:
        sides = {}
        network(ids, architecture, sides=sides)
        whole = network(target, architecture, part=1, sides=dict(sides))
        for position in range(7):
            sides["position"] = torch.full((3, 1), position)
            one = network(target[:, position : position + 1], architecture, part=1, sides=sides)
            assert torch.allclose(one[:, 0], whole[:, position], atol=1e-5)


def test_later_tokens_and_padding_change_nothing(space, network):
    architecture = space.architecture(space.radices - 1)
    ids, target = torch.randint(4, 70, (2, 9)), torch.randint(4, 70, (2, 7))
    found = []
    for source, read in (
        (ids, target),
        (torch.nn.functional.pad(ids, (0, 5)), torch.cat([target[:, :4], target[:, 4:] % 9 + 4], 1)),
    ):
        sides = {}
        network(source, architecture, sides=sides)
        found.append(network(read, architecture, part=1, sides=sides)[:, :4])
    assert torch.allclose(*found, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_graphs_equal_torch(space, network, architectures, backend):
    """Both parts on a batch of two, the encoder's outputs and two steps, all values and not the tokens alone."""
    loaded, ids = load_backend(backend), torch.randint(4, 70, (2, 24))
    ids[1, 10:] = 0
    for architecture in architectures:
        sides = {}
        encoded = network(ids, architecture, sides=sides)
        parts = models_from_architecture(space, architecture, network.folded(architecture, {}), batch=2)
        with (
            loaded.load(parts[0].model, RunConfig(batch=2)) as encoder,
            loaded.load(parts[1].model, RunConfig(batch=2)) as step,
        ):
            outputs = encoder.run({"input": ids.numpy()})
            close(outputs["output"], encoded)
            for name in (name for name in outputs if name != "output"):
                close(outputs[name], sides[name])
            values = {name: np.zeros(shape, np.float32) for name, shape in step.input_shapes.items()} | outputs
            values |= {"input": np.array([[5], [6]]), "position": np.zeros((2, 1), np.int64)}
            for position in range(2):
                sides["position"] = torch.full((2, 1), position)
                logits = network(torch.from_numpy(values["input"]), architecture, part=1, sides=sides)[:, 0]
                found = step.run({name: values[name] for name in step.input_shapes})
                close(found["output"], logits)
                assert (found["input.next"] == logits.argmax(1, keepdim=True).numpy()).all()
                assert (found["position.next"] == position + 1).all()
                values |= {name.removesuffix(".next"): value for name, value in found.items()}


def close(found, expected):
    expected = expected.numpy()
    assert np.abs(found - expected).max() <= 1e-4 * max(1.0, np.abs(expected).max())


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_layer_alone_is_a_model(backend):
    space = load_space("translate_en_de")
    loaded, kinds = load_backend(backend), {}
    for spec in space.unique_layers():
        kinds.setdefault(spec.kind, spec)
    assert len(kinds) == 6
    for spec in kinds.values():
        with loaded.load(graph_from_layers([spec]), RunConfig()) as executable:
            outputs = executable.run(executable.inputs)
            assert all(np.isfinite(value).all() for value in outputs.values())


def test_dropout_is_for_training_alone(space, network):
    ids, architecture = torch.randint(4, 70, (2, 9)), space.architecture(space.radices - 1)
    quiet = [network(ids, architecture) for _ in range(2)]
    noisy = [network(ids, architecture, dropout=0.5) for _ in range(2)]
    assert torch.equal(*quiet)
    assert not torch.equal(*noisy)


def test_an_untrained_network_loads_its_own_tensors(space, network):
    other = ElasticNetwork(space)
    other.load_state_dict(network.state_dict())
    ids, architecture = torch.randint(4, 70, (2, 9)), space.architecture(space.radices - 1)
    sides, others = {}, {}
    network(ids, architecture, sides=sides)
    other(ids, architecture, sides=others)
    assert torch.equal(network(ids, architecture, part=1, sides=sides), other(ids, architecture, part=1, sides=others))
