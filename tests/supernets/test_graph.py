import functools
import inspect

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from gnomon.profilers.run_config import RunConfig
from gnomon.profilers.runtimes.registry import load_backend
from gnomon.supernets import LayerSpec, SupernetError, load_space, space_names
from gnomon.supernets.elastic import ElasticNetwork
from gnomon.supernets.errors import CheckpointMismatch, UnknownSpace
from gnomon.supernets.graph import graph_from_layers
from gnomon.supernets.layers import layer_kinds
from gnomon.supernets.layers.registry import output_shape, params, weight_shapes
from gnomon.supernets.registry import SPACES


def odd_sized(name):
    """A space at an input whose halves (66, 33, 17, 9, 5) are odd, where it lets one choose: quick, and hard to pad."""
    if "resolution" not in inspect.signature(SPACES.load(name)).parameters:
        return name
    try:
        return load_space(f"{name}:resolution=132").name
    except UnknownSpace:
        return f"{name}:resolution=96"


# Large transformers have a small one of their own kind in their own tests, where all of this is asked of it too.
SMALL_ENOUGH = [name for name in space_names() if name not in ("vit_b16", "hat_transformer")]
VARIANTS = [*map(odd_sized, SMALL_ENOUGH), "ofa_mobilenetv3:width=1.2,resolution=128"]
IMAGE_VARIANTS = [name for name in VARIANTS if len(load_space(name.partition(":")[0]).input_shape) == 3]


def random_supernet(name):
    """A super-network whose batch norms have scales, shifts and statistics that folding could get wrong."""
    torch.manual_seed(3)
    network = ElasticNetwork(load_space(name)).requires_grad_(False)
    for key, tensor in network.named_parameters():
        if key.endswith(("scale", "shift")):
            tensor.add_(torch.randn_like(tensor) * 0.2)
        if "transforms" in key:
            tensor.add_(torch.randn_like(tensor) * 0.05)
    return network


@functools.lru_cache(maxsize=1)  # for one runtime after the other
def chained(name):
    """Return some sub-networks' models, inputs and what torch makes of them."""
    network, found = random_supernet(name), []
    space = network.space
    for row in space.sample(2, np.random.default_rng(5)):
        architecture = space.architecture(row)
        statistics = network.calibrate(architecture, torch.randn(8, *space.input_shape))
        images = torch.randn(2, *space.input_shape)
        expected = network.logits(images, architecture, statistics).numpy()
        model = graph_from_layers(space.layers(architecture), network.folded(architecture, statistics), batch=2)
        found.append((model, images.numpy(), expected))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("name", IMAGE_VARIANTS)
def test_chained_graph_equals_the_torch_subnetwork(name, backend):
    for model, images, expected in chained(name):
        with load_backend(backend).load(model, RunConfig(batch=2)) as executable:
            (actual,) = executable.run({"input": images}).values()
        assert np.abs(actual - expected).max() <= 1e-4 * max(1.0, float(np.abs(expected).max()))


@pytest.mark.slow
@pytest.mark.parametrize("name", VARIANTS)
def test_every_layer_is_a_valid_model_of_the_pinned_format(name):
    for spec in load_space(name).unique_layers():
        model = onnx.load_from_string(graph_from_layers([spec]))
        onnx.checker.check_model(model, full_check=True)
        assert (model.opset_import[0].version, model.ir_version) == (17, 8)


def test_every_layer_kind_is_used_by_a_registered_space():
    used = {spec.kind for name in space_names() for spec in load_space(name).unique_layers()}
    assert used == set(layer_kinds()) - {"module"}, "which is for spaces that are declared in torch"


@pytest.mark.slow
def test_layer_shapes_are_those_of_the_runtime():
    for spec in load_space("fashion_mnist").unique_layers()[::7]:
        session = onnxruntime.InferenceSession(graph_from_layers([spec]), providers=["CPUExecutionProvider"])
        (output,) = session.run(None, {"input": np.zeros((1, *spec.input_shape), np.float32)})
        assert output.shape == (1, *output_shape(spec))


@pytest.mark.parametrize("name", [name for name in space_names() if name.startswith("ofa_")])
def test_params_are_those_of_the_torch_network(name):
    space = load_space(name)
    largest = space.architecture(space.radices - 1)
    network = ElasticNetwork(space)
    transforms = sum(p.numel() for name, p in network.named_parameters() if "transforms" in name)
    trainable = sum(p.numel() for p in network.parameters()) - transforms
    assert space.params([largest.indices])[0] == trainable


def test_graph_bytes_are_the_same_every_time():
    layers = load_space("fashion_mnist").unique_layers()[:1]
    assert graph_from_layers(layers) == graph_from_layers(layers)


def test_layers_that_do_not_fit_are_refused():
    space = load_space("fashion_mnist")
    stem, *_, head = space.unique_layers()
    with pytest.raises(SupernetError, match="the one before gives"):
        graph_from_layers([stem, head])


def test_wrong_weights_name_the_tensor():
    stem = load_space("fashion_mnist").unique_layers()[0]
    weights = {name: np.zeros(shape, np.float32) for name, shape in weight_shapes(stem).items()}
    weights["conv.weight"] = np.zeros((1, 1, 3, 3), np.float32)
    with pytest.raises(CheckpointMismatch, match=r"layer00\.conv\.weight has shape \(1, 1, 3, 3\)"):
        graph_from_layers([stem], [weights])


def test_unknown_layer_kind_lists_the_known():
    with pytest.raises(SupernetError, match="known: bottleneck, classifier, "):
        params(LayerSpec.of("transformer", (3, 8, 8)))


@pytest.mark.parametrize("key", ["", "mbconv", "mbconv()", "mbconv(3x8,kernel)", "mbconv(3x8,k=1)\n", "<b>(3)"])
def test_text_that_is_no_layer_key_is_refused(key):
    with pytest.raises(SupernetError, match="is not a layer key"):
        LayerSpec.from_key(key)
