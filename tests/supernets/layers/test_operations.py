import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.profilers.run_config import RunConfig
from gnomon.profilers.runtimes.registry import load_backend
from gnomon.supernets import LayerSpec
from gnomon.supernets.elastic.forward import Pass
from gnomon.supernets.elastic.normalisation import BatchStatistics
from gnomon.supernets.elastic.slots import ElasticSequence
from gnomon.supernets.graph import INPUT, graph_from_layers
from gnomon.supernets.layers import AveragePool, Conv, GlobalAveragePool, Linear, MaxPool, Residual, operations
from gnomon.supernets.layers.graph_builder import GraphBuilder
from gnomon.supernets.layers.registry import macs, output_shape, params

POOLS = st.one_of(st.builds(AveragePool, st.integers(1, 3)), st.builds(MaxPool, st.integers(1, 3), st.just(3)))


def in_torch(operation, x):
    """Run one operation without trained weights as the elastic super-network does."""
    with torch.inference_mode():
        return ElasticSequence([(operation,)]).apply_all(x, (operation,), "here", Pass(BatchStatistics()))


def in_onnx(operation, x, backend="onnxruntime"):
    """Run one operation as the exported graph does."""
    graph = GraphBuilder()
    graph.begin_layer("layer00", None)
    shape = (x.shape[0], *operation.output_shape(tuple(x.shape[1:])))
    model = graph.model(x.shape, operation.emit(graph, INPUT), shape)
    with load_backend(backend).load(model, RunConfig(batch=x.shape[0])) as executable:
        (output,) = executable.run({INPUT: x.numpy()}).values()
    return output


@given(POOLS, st.integers(3, 20), st.integers(3, 20))
@settings(max_examples=25, deadline=None)
def test_pools_agree_with_torch_at_every_size(pool, height, width):
    x = torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(height * width))
    expected = in_torch(pool, x)
    assert tuple(expected.shape[1:]) == pool.output_shape((3, height, width))
    assert np.allclose(in_onnx(pool, x), expected.numpy(), atol=1e-6)


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_average_over_the_edge_counts_the_pixels_inside_alone(backend):
    x = torch.arange(9.0).reshape(1, 1, 3, 3)
    assert in_onnx(AveragePool(2), x, backend).tolist() == [[[[2.0, 3.5], [6.5, 8.0]]]]
    assert in_torch(AveragePool(2), x).tolist() == [[[[2.0, 3.5], [6.5, 8.0]]]]


@pytest.mark.parametrize("activation", ["relu", "relu6", "hswish", "none"])
def test_activation_after_the_addition_is_torchs(activation):
    x = torch.linspace(-9, 9, 50).reshape(1, 2, 5, 5)
    doubled = Residual((MaxPool(1, 1),), activation=activation)
    expected = {"relu": torch.relu, "relu6": torch.nn.functional.relu6, "hswish": torch.nn.functional.hardswish}
    assert np.allclose(in_torch(doubled, x), expected.get(activation, lambda y: y)(2 * x), atol=1e-6)
    assert np.allclose(in_onnx(doubled, x), in_torch(doubled, x), atol=1e-6)


def test_clipped_activations_share_their_bounds():
    spec = LayerSpec.of(
        "mbconv", (8, 6, 6), kernel=3, stride=1, mid_channels=24, out_channels=8,
        activation="relu6", se_channels=0, residual=1,
    )  # fmt: skip
    names = [tensor.name for tensor in onnx.load_from_string(graph_from_layers([spec, spec])).graph.initializer]
    assert len(set(names)) == len(names)
    assert {name for name in names if "constant" in name} == {"constant.0", "constant.6"}


def test_shortcut_counts_and_shapes_are_those_of_both_paths():
    body, shortcut = Conv("body", 8, 16, 3, stride=2), (AveragePool(2), Conv("project", 8, 16, 1))
    block = Residual((body,), shortcut, "relu")
    assert block.output_shape((8, 9, 9)) == (16, 5, 5)
    assert block.params == 16 * 8 * 9 + 2 * 16 + 16 * 8 + 2 * 16
    assert block.macs((8, 9, 9)) == 25 * (16 * 8 * 9 + 16 * 8)
    assert set(block.weight_shapes()) == {"body.weight", "body.bias", "project.weight", "project.bias"}


@pytest.mark.parametrize(
    ("channels", "stride", "shortcut"),
    [(64, 1, ()), (32, 1, (Conv,)), (64, 2, (AveragePool, Conv)), (32, 2, (AveragePool, Conv))],
)
def test_bottleneck_projects_only_what_the_identity_cannot_add(channels, stride, shortcut):
    spec = LayerSpec.of(
        "bottleneck", (channels, 9, 9), kernel=3, stride=stride, mid_channels=16, out_channels=64, activation="relu"
    )
    (block,) = operations(spec)
    assert tuple(type(operation) for operation in block.shortcut) == shortcut
    assert block.operations[1].stride == stride


def test_classifier_mixes_only_when_asked():
    bare = LayerSpec.of("classifier", (8, 4, 4), mix_channels=0, classes=10)
    mixing = LayerSpec.of("classifier", (8, 4, 4), mix_channels=16, activation="relu6", classes=10)
    assert operations(bare) == (GlobalAveragePool(), Linear("classifier", 8, 10))
    assert params(mixing) == 8 * 16 + 2 * 16 + 17 * 10


def test_layers_add_up_to_the_published_mobilenet_v2():
    # torchvision.models.mobilenet_v2: 3,504,872 parameters, 0.301 GMACs at 224 px.
    layers = [LayerSpec.of("stem", (3, 224, 224), kernel=3, stride=2, out_channels=32, activation="relu6")]
    for expand, out, blocks, first_stride in (
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ):  # fmt: skip
        for stride in (first_stride, *[1] * (blocks - 1)):
            channels, *size = output_shape(layers[-1])
            layers.append(
                LayerSpec.of(
                    "mbconv", (channels, *size), kernel=3, stride=stride, mid_channels=channels * expand,
                    out_channels=out, activation="relu6", se_channels=0, residual=int(stride == 1 and channels == out),
                )
            )  # fmt: skip
    layers.append(
        LayerSpec.of("classifier", output_shape(layers[-1]), mix_channels=1280, activation="relu6", classes=1000)
    )
    assert sum(map(params, layers)) == 3_504_872
    assert round(sum(map(macs, layers)) / 1e9, 3) == 0.301
