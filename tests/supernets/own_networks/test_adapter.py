import importlib
import os
import subprocess
import sys

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from gnomon.profilers.run_config import RunConfig
from gnomon.profilers.runtimes.registry import load_backend
from gnomon.supernets import CheckpointMismatch, LayerSpec, SupernetError, load_space
from gnomon.supernets.elastic import ElasticNetwork
from gnomon.supernets.graph import INPUT, graph_from_layers, models_from_architecture
from gnomon.supernets.layers import operations
from gnomon.supernets.layers import torch_modules as modules
from gnomon.supernets.layers.graph_builder import GraphBuilder
from gnomon.supernets.layers.module_graph import cache_folder, synthetic_export
from gnomon.supernets.layers.registry import macs, params
from gnomon.supernets.own_networks.adapter import Block, TorchSpace, block, layer
from gnomon.supernets.own_networks.check import graph_is_torch
from gnomon.supernets.testing import SpaceContract


class Widen(nn.Sequential):
    def __init__(self, channels, width):
        super().__init__(nn.Conv2d(channels, width, 1), nn.ReLU())


class Attend(nn.Module):
    """Attention over the pixels: what no layer kind of ours does."""

    def __init__(self, width, heads, gated=0):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.gated = gated

    def forward(self, x):
        tokens = self.norm(x.flatten(2).transpose(1, 2))
        mixed = self.attention(tokens, tokens, tokens, need_weights=False)[0]
        mixed = mixed * torch.sigmoid(mixed) if self.gated else mixed
        return x + mixed.transpose(1, 2).reshape(x.shape)


class Branches(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.kind = kind

    def forward(self, x):
        return {"split": lambda: torch.split(x, 1, dim=1)[1], "same": lambda: x, "pair": lambda: (x, x)}[self.kind]()


def run_onnx(model, inputs):
    batch = len(next(iter(inputs.values())))
    with load_backend("onnxruntime").load(model, RunConfig(batch=batch)) as executable:
        return executable.run(dict(inputs))


class Attentive(TorchSpace):
    input_shape = (3, 6, 6)
    choices = {"width": (8, 16), "heads.1": (2, 4), "heads.2": (2, 4), "depth": (1, 2), "kernel": (3, 5)}  # noqa: RUF012

    @block
    def widen(self, shape, width):
        return layer(Widen, channels=shape[0], width=width)

    @block
    def first(self, shape, heads_1):
        return layer(Attend, width=shape[0], heads=heads_1)

    @block
    def second(self, shape, heads_2, depth):
        return layer(Attend, width=shape[0], heads=heads_2, gated=True) if depth == 2 else None

    @block
    def convolve(self, shape, kernel):
        return LayerSpec.of(
            "mbconv", shape, kernel=kernel, stride=2, mid_channels=24, out_channels=8, activation="relu",
            se_channels=0, residual=0,
        )  # fmt: skip


@pytest.fixture
def attentive():
    return Attentive().space("attentive")


class TestSpaceInTorch(SpaceContract):
    @pytest.fixture
    def space(self):
        return Attentive().space("attentive")


class TestInstalledSpace(SpaceContract):
    @pytest.fixture
    def space(self, mixer):
        return mixer


def test_genes_of_the_shape_are_found_and_others_left_out(attentive):
    genes = {slot.name: [attentive.choices[gene].name for gene in slot.genes] for slot in attentive.slots}
    assert genes == {
        "widen": ["width"],
        "first": ["width", "heads.1"],
        "second": ["width", "heads.2", "depth"],
        "convolve": ["width", "kernel"],
    }


@pytest.mark.slow
def test_any_subnetwork_s_graph_is_what_torch_runs(attentive):
    for row in attentive.sample(6, np.random.default_rng(0)):
        graph_is_torch(attentive, attentive.architecture(row), run_onnx)


def test_equal_layers_are_one_to_measure_and_the_key_says_what_they_are(attentive):
    keys = [spec.key for spec in attentive.unique_layers() if spec.kind == "module"]
    plain = [key for key in keys if "gated=0" not in key and "gated=1" not in key and "name=attend" in key]
    assert len(plain) == 4
    assert plain[0].startswith("module(8x6x6,heads=2,name=attend,of=attentive,source=h")


@pytest.mark.slow
@pytest.mark.parametrize("seed", ["1", "2"])
def test_keys_are_the_same_and_found_in_a_new_process(mixer, seed):
    keys = [spec.key for spec in mixer.unique_layers()]
    code = (
        "import sys; from gnomon.supernets import LayerSpec, load_space\n"
        "from gnomon.supernets.graph import graph_from_layers\n"
        "print([len(graph_from_layers([LayerSpec.from_key(key)])) > 500 for key in sys.argv[1:]])\n"
        "print(load_space('mixer_net').digest)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    command = [sys.executable, "-c", code, *keys[:3]]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.split("\n")[:2] == ["[True, True, True]", mixer.digest]


def test_macs_and_parameters_are_counted(attentive):
    spec = next(spec for spec in attentive.unique_layers() if spec.kind == "module")
    assert spec.key.startswith("module(3x6x6,channels=3,name=widen")
    assert (macs(spec), params(spec)) == (36 * 3 * 8, 3 * 8 + 8)


@pytest.mark.slow
def test_every_layer_is_a_valid_model_of_the_pinned_format(mixer):
    for spec in mixer.unique_layers():
        model = onnx.load_from_string(graph_from_layers([spec], batch=2))
        onnx.checker.check_model(model, full_check=True)
        assert (model.opset_import[0].version, model.ir_version) == (17, 8)
        assert not any(tensor.external_data for tensor in model.graph.initializer)


def test_batch_norm_is_folded_and_calibrated(mixer):
    network, images = ElasticNetwork(mixer), torch.randn(16, 1, 28, 28)
    architecture = mixer.architecture(mixer.radices - 1)
    statistics = network.calibrate(architecture, images)
    assert set(statistics) == {"stem.stem.1", "first.mixer.norm", "second.mixer.norm"}
    weights = network.folded(architecture, statistics)
    (part,) = models_from_architecture(mixer, architecture, weights, batch=16)
    assert "BatchNormalization" not in {node.op_type for node in onnx.load_from_string(part.model).graph.node}
    (found,) = run_onnx(part.model, {INPUT: images.numpy()}).values()
    expected = network.logits(images, architecture, statistics).numpy()
    assert np.allclose(found, expected, atol=1e-4)
    assert np.allclose(network(images, architecture).detach().numpy(), expected, atol=1e-3)


def test_settings_of_a_class_share_weights_from_the_front_and_the_kernel_s_centre(mixer):
    network = ElasticNetwork(mixer)
    step = network.sequence("first").steps["mixer"]
    small = next(
        s for s in mixer.unique_layers() if "kernel=3" in s.key and "width=16" in s.key and "hidden=32" in s.key
    )
    (operation,) = operations(small)
    sliced, whole = step.sliced(operation), dict(step.weights.items())
    assert torch.equal(sliced["spatial.weight"], whole["spatial_weight"][:16, :, 2:5, 2:5])
    assert torch.equal(sliced["channels.0.weight"], whole["channels_0_weight"][:32, :16])
    architecture = mixer.architecture(mixer.radices * 0)
    network(torch.randn(4, 1, 28, 28), architecture).sum().backward()
    gradient = step.weights["spatial_weight"].grad
    assert gradient[:16, :, 2:5, 2:5].abs().sum() > 0
    assert gradient[16:].abs().sum() == gradient[:, :, :2].abs().sum() == 0


def test_exported_layers_are_kept_and_a_damaged_file_is_made_again(mixer):
    spec = mixer.unique_layers()[0]
    synthetic_export.cache_clear()
    first = synthetic_export(spec, 1)
    (kept,) = cache_folder().iterdir()
    kept.write_bytes(first[:100])
    synthetic_export.cache_clear()
    assert synthetic_export(spec, 1) == first == kept.read_bytes()


def test_a_changed_source_is_another_layer(tmp_path, monkeypatch):
    source = "from torch import nn\nclass Act(nn.ReLU):\n    def __init__(self, size):\n        super().__init__()\n"
    monkeypatch.syspath_prepend(str(tmp_path))
    digests = []
    for number, text in enumerate((source, "# a comment\n\n" + source, source.replace("ReLU", "SiLU"))):
        (tmp_path / f"act{number}.py").write_text(text)
        digests.append(modules.source_digest(importlib.import_module(f"act{number}").Act))
    assert digests[0] == digests[1] != digests[2]


def test_a_layer_of_another_version_of_the_source_is_refused(attentive):
    spec = attentive.unique_layers()[0]
    other = LayerSpec.from_key(spec.key.replace(spec.text("source"), "h00000000"))
    with pytest.raises(SupernetError, match=r"another version .*profile the space again"):
        graph_from_layers([other])


def test_a_layer_of_an_unknown_super_network_says_what_to_install():
    spec = LayerSpec.of("module", (3, 4, 4), name="thing", of="nowhere", source="h12345678")
    with pytest.raises(SupernetError, match="super-network 'nowhere', which is not here; install its package"):
        macs(spec)


def test_trained_weights_of_another_shape_are_refused(attentive):
    spec = attentive.unique_layers()[0]
    arrays = {name: np.zeros((2, 2), np.float32) for name in ("0.weight", "0.bias")}
    with pytest.raises(CheckpointMismatch, match=r"weight 0\.weight"):
        graph_from_layers([spec], [arrays])


def made_of(*blocks, **choices):
    """A space of blocks that are given as (name, genes, make)."""

    class Made(TorchSpace):
        input_shape = (3, 4, 4)

        def blocks(self):
            return [Block(*one) for one in blocks]

    Made.choices = choices or {"width": (4, 8)}
    return Made().space("made")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda shape, width: layer(Widen, channels=5, width=width), r"block b \(width=4\).*cannot run on an input"),
        (lambda shape, width: layer(Widen, width=width), "cannot be built: TypeError"),
        (lambda shape, width: layer(Widen, channels=3, width=0.5), r"Widen\(width=0\.5\) cannot be a layer"),
        (lambda shape, width: layer(Widen, channels=3, width=width, of=1), "its name is none of name, of, source"),
        (lambda shape, width: Widen(3, width), "it returned Widen; expected layer"),
        (lambda shape, width: layer(Branches, kind="pair"), "gives tuple; expected one tensor"),
        (lambda shape, width: LayerSpec.of("mbconw", shape), "unknown layer kind 'mbconw'"),
    ],
)
def test_mistakes_name_the_block_and_what_to_do(make, message):
    with pytest.raises(SupernetError, match=message):
        made_of(("b", ("width",), make))


def test_a_gene_that_nothing_takes_is_an_error():
    with pytest.raises(SupernetError, match="no block of made takes gene 'depth'"):
        made_of(("b", ("width",), lambda shape, width: layer(Widen, channels=3, width=width)), width=(4,), depth=(1, 2))


def test_a_parameter_that_is_no_gene_is_an_error():
    class Wrong(Attentive):
        @block
        def third(self, shape, depht):
            return None

    with pytest.raises(SupernetError, match="block third takes 'depht', which is no gene"):
        Wrong().space("wrong")


def test_too_many_genes_for_one_block_are_an_error():
    genes = {f"g{n}": (1, 2, 3, 4) for n in range(8)}
    with pytest.raises(SupernetError, match="65,536 settings"):
        made_of(("b", tuple(genes), lambda shape, *values: None), **genes)


@pytest.mark.parametrize("kind", ["split", "same"])
def test_outputs_that_are_second_or_the_input_itself_are_exported(kind):
    space = made_of(
        ("b", ("width",), lambda shape, width: layer(Branches, kind=kind)),
        ("w", ("width",), lambda shape, width: layer(Widen, channels=shape[0], width=width)),
    )
    model = graph_from_layers(space.layers(space.architecture([0])))
    run_onnx(model, {INPUT: np.ones((1, 3, 4, 4), np.float32)})
    alone = graph_from_layers([space.unique_layers()[0]])
    (found,) = run_onnx(alone, {INPUT: np.arange(48, dtype=np.float32).reshape(1, 3, 4, 4)}).values()
    assert found.reshape(-1)[0] == (16 if kind == "split" else 0)


def test_two_uses_in_one_graph_do_not_clash(attentive):
    spec = next(spec for spec in attentive.unique_layers() if "name=attend" in spec.key)
    graph = GraphBuilder()
    x = INPUT
    for prefix in ("a", "b"):
        graph.begin_layer(prefix, None)
        x = operations(spec)[0].emit(graph, x)
    model = onnx.load_from_string(graph.model((1, 8, 6, 6), x, (1, 8, 6, 6)))
    onnx.checker.check_model(model, full_check=True)


def test_options_of_the_space_are_parameters_with_a_default(tmp_path, monkeypatch):
    (tmp_path / "sized.py").write_text(
        "from torch import nn\n"
        "from gnomon.supernets.own_networks.adapter import TorchSpace, block, layer\n"
        "class Conv(nn.Conv2d):\n"
        "    def __init__(self, width):\n        super().__init__(3, width, 1)\n"
        "class Sized(TorchSpace):\n    choices = {'width': (4, 8)}\n"
        "    def __init__(self, resolution: int = 8):\n        self.input_shape = (3, resolution, resolution)\n"
        "    @block\n    def only(self, width):\n        return layer(Conv, width=width)\n"
    )
    info = tmp_path / "sized-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sized\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[gnomon.spaces]\nsized = sized:Sized\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert load_space("sized:resolution=4").input_shape == (3, 4, 4)
    assert (load_space("sized:resolution=8").name, load_space("sized:resolution=4").name) == (
        "sized",
        "sized:resolution=4",
    )
