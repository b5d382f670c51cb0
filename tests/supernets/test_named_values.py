"""Super-networks that are no chain: named inputs, whole numbers, values that skip blocks, several outputs."""

from dataclasses import replace
from importlib import import_module

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from gnomon.cli.main import run
from gnomon.lut.latency_model.terms import border_kib
from gnomon.profilers.run_config import RunConfig
from gnomon.profilers.runtimes.ranges import ranges_of
from gnomon.profilers.runtimes.registry import load_backend
from gnomon.supernets import LayerSpec, SupernetError
from gnomon.supernets.elastic import ElasticNetwork, FixedStatistics
from gnomon.supernets.graph import graph_from_layers, models_from_architecture
from gnomon.supernets.layers.registry import macs, params
from gnomon.supernets.own_networks.adapter import Block, Input, TorchSpace, block, layer
from gnomon.supernets.own_networks.check import CHECKS, CheckFailed, check_space, graph_is_torch, rows_of
from gnomon.supernets.own_networks.check_runs import whole_numbers_fit
from gnomon.supernets.precision import at_precision
from gnomon.supernets.space.wiring import wiring_of
from gnomon.supernets.testing import SpaceContract

NAMES = ("keyword_spotting", "recommender", "unet", "detector")


def run_onnx(model, inputs):
    batch = len(next(iter(inputs.values())))
    with load_backend("onnxruntime").load(model, RunConfig(batch=batch)) as executable:
        return executable.run(dict(inputs))


@pytest.fixture(params=NAMES)
def any_space(request, torch_spaces):
    return torch_spaces(request.param)


class TestNamedValues(SpaceContract):
    @pytest.fixture
    def space(self, any_space):
        return any_space


@pytest.mark.slow
def test_any_subnetwork_s_graph_is_what_torch_runs(any_space):
    for row in any_space.sample(5, np.random.default_rng(0)):
        graph_is_torch(any_space, any_space.architecture(row), run_onnx)


@pytest.mark.slow
def test_every_layer_alone_runs_on_what_timing_feeds_it(any_space):
    for backend in ("onnxruntime", "openvino"):
        for spec in any_space.unique_layers():
            model = graph_from_layers([spec], batch=2)
            onnx.checker.check_model(onnx.load_from_string(model), full_check=True)
            with load_backend(backend).load(model, RunConfig(batch=2)) as executable:
                assert {tuple(value.shape[1:]) for value in executable.inputs.values()} == {
                    one.shape for one in spec.all_inputs
                }
                (output,) = executable.run(dict(executable.inputs)).values()
                assert np.isfinite(output).all()


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_converted_networks_keep_their_inputs_and_ranges(any_space, precision):
    (part,) = models_from_architecture(any_space, any_space.architecture(any_space.radices * 0))
    model = at_precision(part.model, precision)
    assert ranges_of(model) == ranges_of(part.model)
    assert [one.name for one in onnx.load_from_string(model).graph.input] == (
        [name for name, _ in any_space.inputs] or ["input"]
    )


def test_genes_of_a_skipped_value_s_shape_are_found(torch_spaces):
    space = torch_spaces("unet")
    genes = {slot.name: [space.choices[gene].name for gene in slot.genes] for slot in space.slots}
    assert genes["up1"] == ["width.1", "width.2"]
    assert genes["bottom"] == ["width.2", "kernel", "depth"]
    (up1,) = [slot for slot in space.slots if slot.name == "up1"]
    keys = [spec.key.partition(",")[0] for spec in up1.specs]
    assert keys == [f"module({two}x8x8+{one}x16x16" for one in (4, 8) for two in (8, 16)]
    assert len({spec.key for spec in up1.specs}) == 4


def test_a_layer_of_several_inputs_reads_back_from_its_key(torch_spaces):
    spec = torch_spaces("unet").slots[3].specs[0]
    read = LayerSpec.from_key(spec.key)
    assert read == spec
    assert [one.shape for one in read.inputs] == [(8, 8, 8), (4, 16, 16)]
    assert border_kib(spec) == (8 * 64 + 4 * 256 + 4 * 256) * 4 / 1024


def test_whole_numbers_are_part_of_the_key_and_of_the_file(torch_spaces):
    spec = torch_spaces("recommender").slots[0].specs[0]
    assert spec.key.startswith("module(scalar:int64:0:943,name=table,of=recommender,rows=943,source=h")
    assert LayerSpec.from_key(spec.key) == spec
    model = graph_from_layers([spec])
    assert ranges_of(model) == {"input": (0, 943)}
    (taken,) = onnx.load_from_string(model).graph.input
    assert (taken.type.tensor_type.elem_type, len(taken.type.tensor_type.shape.dim)) == (onnx.TensorProto.INT64, 1)


def test_work_is_counted_once_a_layer_that_runs(torch_spaces):
    space = torch_spaces("recommender")
    row = space.architecture_of({"user_width": 8, "item_width": 16, "tower": 16, "depth": 1, "hidden": 32})
    assert space.macs([row.indices])[0] == 8 * 16 + 16 * 16 + 2 * 16 * 32 + 32 * 2
    towers = (8 + 1) * 16 + 2 * 16 + (16 + 1) * 16 + 2 * 16
    assert space.params([row.indices])[0] == 943 * 8 + 1682 * 16 + towers + 2 * (16 + 1) * 32 + 33 * 2
    assert sum(macs(spec) for spec in space.layers(row)) == space.macs([row.indices])[0]
    assert sum(params(spec) for spec in space.layers(row)) == space.params([row.indices])[0]


def test_a_slot_without_a_layer_hands_on_what_it_takes_first(torch_spaces):
    space = torch_spaces("unet")
    values = {"width.1": 4, "width.2": 8, "kernel": 3, "depth": 1}
    wiring = wiring_of(space, space.architecture_of(values))
    assert [(step.slot, step.takes) for step in wiring.steps] == [
        ("down1", ("input",)),
        ("down2", ("down1",)),
        ("up1", ("down2", "down1")),
        ("mask", ("up1",)),
    ]
    assert [step.last for step in wiring.steps] == [("input",), (), ("down2", "down1"), ("up1",)]


def test_outputs_have_the_names_of_their_blocks_in_torch_and_in_the_file(torch_spaces):
    space = torch_spaces("detector")
    architecture, network = space.architecture(space.radices - 1), ElasticNetwork(space).eval()
    images = torch.randn(2, 3, 32, 32)
    statistics = network.calibrate(architecture, {"image": images})
    with torch.no_grad():
        outputs = network.outputs(images, architecture, FixedStatistics(statistics))
    shapes = {name: tuple(value.shape[1:]) for name, value in outputs.items()}
    assert shapes == {"boxes3": (4, 8, 8), "classes3": (3, 8, 8), "boxes4": (4, 4, 4), "classes4": (3, 4, 4)}
    (part,) = models_from_architecture(space, architecture, network.folded(architecture, statistics), batch=2)
    found = run_onnx(part.model, {"image": images.numpy()})
    assert {name: value.shape[1:] for name, value in found.items()} == shapes
    with pytest.raises(SupernetError, match=r"has the outputs boxes3, .*take them from `outputs`"):
        network(images, architecture)


def test_inputs_are_given_by_name(torch_spaces):
    space = torch_spaces("recommender")
    network, architecture = ElasticNetwork(space).eval(), space.architecture(space.radices * 0)
    ids = torch.tensor([0, 3, 900])
    assert network({"user": ids, "item": ids}, architecture).shape == (3, 2)
    statistics = network.calibrate(architecture, {"user": ids, "item": ids}, batch=2)
    assert network.logits({"item": ids, "user": ids}, architecture, statistics, batch=2).shape == (3, 2)
    with pytest.raises(SupernetError, match=r"recommender has inputs user, item; give them by name"):
        network(ids, architecture)
    with pytest.raises(SupernetError, match=r"recommender takes user, item; it was given user"):
        network({"user": ids}, architecture)


def test_weights_that_skip_blocks_learn(torch_spaces):
    space = torch_spaces("unet")
    network, architecture = ElasticNetwork(space), space.architecture(space.radices * 0)
    network(torch.randn(2, 1, 16, 16), architecture).square().sum().backward()
    skipped = network.sequence("up1").steps["up"].weights["skipped_weight"].grad
    assert skipped[:4, :4].abs().sum() > 0
    assert skipped[4:].abs().sum() == skipped[:, 4:].abs().sum() == 0


class Add(nn.Module):
    def forward(self, x, y):
        return x + y


class Wide(nn.Conv2d):
    def __init__(self, channels, width):
        super().__init__(channels, width, 1)


class Row(nn.Embedding):
    def __init__(self, rows, width):
        super().__init__(rows, width)


class Rounded(nn.Module):
    def __init__(self, width):
        super().__init__()

    def forward(self, x):
        return x.long()


def made_of(*blocks, outputs=(), inputs=None, **choices):
    """The space of blocks that are given as (name, genes, make, takes)."""

    class Made(TorchSpace):
        def blocks(self):
            return [Block(*one) for one in blocks]

    Made.choices, Made.outputs = choices or {"width": (4, 8)}, outputs
    Made.inputs = {"image": Input((3, 4, 4))} if inputs is None else inputs
    return Made().space("made")


def wide(shape, width):
    return layer(Wide, channels=shape[0], width=width)


def add(shapes):
    return layer(Add)


HEAD = LayerSpec.of("head", (4, 4, 4), final_channels=8, mix_channels=0, classes=2)
FIRST = ("a", ("width",), wide)


@pytest.mark.parametrize(
    ("blocks", "outputs", "message"),
    [
        ([FIRST, ("b", (), add, ("a", "aa"))], (), "block b takes 'aa', which is no input and no block; .* mean 'a'"),
        ([FIRST, ("b", (), add, ("a", "b"))], (), r"block b takes itself, and a network has no cycles; it can take"),
        ([("a", (), add, ("image", "b")), ("b", ("width",), wide)], (), "block a takes 'b', which runs after it"),
        ([FIRST, ("b", (), add, ("a", "a"))], (), "block b takes a, a; expected each once"),
        ([FIRST, ("a", (), lambda shape: None)], (), "two blocks or inputs called 'a'"),
        ([("image", ("width",), wide, ("image",))], (), "two blocks or inputs called 'image'"),
        ([FIRST, ("b", ("width",), wide, ("image",))], (), "takes what block a gives; name it in takes"),
        ([FIRST, ("b", ("width",), wide)], ("c",), "has the outputs c; expected some of a, b"),
        ([FIRST, ("b", (), add, ("a", "image"))], (), r"block b \(no genes\): .* cannot run on .*\(4, 4, 4\) and"),
        ([FIRST, ("b", (), lambda shape: layer(Add), ("a",))], (), "missing 1 required positional argument"),
        ([FIRST, ("b", (), lambda shapes: HEAD, ("a", "image"))], (), "takes one float32 .*a .4x4x4., image .3x4x4."),
        ([("a", ("width",), lambda shape, width: layer(Rounded, width=width))], (), "gives int64 .*expected one"),
    ],
)  # fmt: skip
def test_mistakes_in_wiring_say_what_to_do(blocks, outputs, message):
    with pytest.raises(SupernetError, match=message):
        made_of(*blocks, outputs=outputs)


def test_the_first_block_must_say_which_of_several_inputs_it_takes():
    inputs = {"left": Input((3, 4, 4)), "right": Input((3, 4, 4))}
    with pytest.raises(SupernetError, match=r'which of the inputs left, right it takes; write @block\(takes="left"\)'):
        made_of(FIRST, inputs=inputs)
    with pytest.raises(SupernetError, match=r"no block of made takes input right; name it in takes"):
        made_of((*FIRST, ("left",)), inputs=inputs)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((0, 2),), r"shape \(0, 2\); expected whole numbers above 0"),
        (((2,), "int8", 0, 3), "dtype 'int8'; expected one of float32, int64, int32"),
        (((2,), "float32", 0, 3), "which only whole numbers have"),
        (((2,), "int64"), "high=None; expected 0 <= low < high"),
        (((2,), "int64", 5, 5), "low=5 and high=5"),
    ],
)
def test_inputs_that_are_none_are_refused(arguments, message):
    with pytest.raises(SupernetError, match=message):
        Input(*arguments)


def test_both_or_neither_form_of_inputs_is_an_error():
    class Both(TorchSpace):
        input_shape, inputs, choices = (3,), {"x": Input((3,))}, {}

    class Neither(TorchSpace):
        choices = {}  # noqa: RUF012

    with pytest.raises(SupernetError, match="both input_shape and inputs"):
        Both().space("both")
    with pytest.raises(SupernetError, match="neither input_shape nor inputs"):
        Neither().space("neither")


def rows_missing(rows):
    return made_of(
        ("table", ("width",), lambda shape, width: layer(Row, rows=rows, width=width)),
        inputs={"ids": Input((3,), "int64", low=2, high=10)},
    )


def test_an_index_out_of_range_is_found_and_explained(monkeypatch):
    whole_numbers_fit(rows_missing(10))
    with pytest.raises(CheckFailed, match=r"largest whole numbers .*index out of range.*Give its table a row for each"):
        whole_numbers_fit(rows_missing(9))
    found = [outcome for outcome in check_space(rows_missing(9), run_onnx) if outcome.problem]
    assert "layers run on the least and the largest whole numbers" in [one.sentence for one in found]
    assert all("expected" in one.problem for one in found)


class Indexed(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.table = nn.Embedding(5, width)

    def forward(self, x):
        return self.table(x.long())


def test_ids_that_come_as_floats_are_told_how_to_be_declared():
    class Floats(TorchSpace):
        input_shape, choices = (2,), {"width": (4, 8)}

        @block
        def table(self, width):
            return layer(Indexed, width=width)

    space = Floats().space("floats")
    with pytest.raises(CheckFailed, match=r"IndexError: index out of range.*expected .*Ids, .*inputs = \{"):
        graph_is_torch(space, space.architecture([0]), run_onnx)

    class Looked(Floats):
        @block
        def table(self, width):
            return layer(Row, rows=5, width=width)

    with pytest.raises(SupernetError, match=r"indices.*declare an input of whole numbers as inputs = \{"):
        Looked().space("looked")


def test_timing_feeds_whole_numbers_of_the_range():
    space = rows_missing(10)
    model = graph_from_layers([space.unique_layers()[0]], batch=50)
    for backend in ("onnxruntime", "openvino"):
        with load_backend(backend).load(model, RunConfig(batch=50)) as executable:
            assert set(executable.inputs["input"].ravel()) == set(range(2, 10))
            executable.elapsed_ns(1)


def test_a_layer_that_leads_to_no_output_is_found_and_never_timed():
    space = made_of(
        FIRST,
        ("side", ("width",), wide, ("image",)),
        ("b", ("depth",), lambda shapes, depth: layer(Add) if depth == 2 else None, ("a", "side")),
        width=(4, 8), depth=(1, 2),
    )  # fmt: skip
    with pytest.raises(SupernetError, match=r"side leads to no output in .*'depth': 1.*Let a block return None"):
        models_from_architecture(space, space.architecture([0, 0]))
    models_from_architecture(space, space.architecture([0, 1]))
    (chain,) = [one for one in CHECKS if one.name == "chain"]
    with pytest.raises(SupernetError, match="leads to no output"):
        chain.run(space, rows_of(space))


def test_a_shape_that_a_hand_written_slot_does_not_expect_is_found(torch_spaces):
    space = torch_spaces("unet")
    up1 = space.slots[3]
    fixed = replace(up1, genes=up1.genes[1:], radices=up1.radices[1:], specs=up1.specs[:2])
    broken = replace(space, slots=(*space.slots[:3], fixed, *space.slots[4:]))
    (chain,) = [one for one in CHECKS if one.name == "chain"]
    with pytest.raises(CheckFailed, match=r"takes .*4, 16, 16.*expected .*8, 16, 16.*which reaches it"):
        chain.run(broken, rows_of(broken))
    with pytest.raises(SupernetError, match=r"slot up1, .* takes \(4, 16, 16\); down1 is \(8, 16, 16\)"):
        models_from_architecture(broken, broken.architecture(broken.radices - 1))


def test_digests_tell_wirings_apart(torch_spaces):
    space = torch_spaces("detector")
    assert replace(space, outputs=space.outputs[:3]).digest != space.digest


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_command_checks_a_file_of_ones_own(name, torch_spaces, capsys):
    space_class = {"keyword_spotting": "KeywordSpotting", "unet": "UNet"}.get(name, name.capitalize())
    assert import_module(name)
    assert run(["space", "check", f"{name}:{space_class}"]) == 0
    assert "FAIL" not in capsys.readouterr().out
