"""Every kind of layer of every space, and whole sub-networks, build for two GPUs that are not here."""

from collections import defaultdict

import numpy as np
import pytest

from gnomon.profilers import BackendUnavailable
from gnomon.profilers.runtimes.registry import load_builder
from gnomon.supernets import load_space
from gnomon.supernets.graph import graph_from_layers, models_from_architecture
from gnomon.supernets.layers.registry import macs
from gnomon.supernets.precision import at_precision
from gnomon.supernets.registry import space_names

SMALL = ("fashion_mnist", "translate_en_de", "vit_b16")  # spaces that have convolutions, sequences, steps
AMPERE, BLACKWELL = "sm86", "sm120"
LARGE = 40e6  # parameters from where one sub-network will do; benchmarks/tensorrt_builds.py builds the others


def ends_by_kind(space):
    """Return the smallest and the largest layer of each kind."""
    kinds = defaultdict(list)
    for layer in sorted(space.unique_layers(), key=lambda layer: (macs(layer), layer.key)):
        kinds[layer.kind].append(layer)
    return {kind: (layers[0], layers[-1]) for kind, layers in kinds.items()}


CASES = [(name, kind) for name in space_names() for kind in ends_by_kind(load_space(name))]


@pytest.fixture(scope="module")
def builder():
    try:
        return load_builder("tensorrt_rtx")
    except BackendUnavailable as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_the_smallest_and_the_largest_layer_of_a_kind_build(builder, name, kind):
    smallest, largest = ends_by_kind(load_space(name))[kind]
    for layer, target in ((smallest, AMPERE), (largest, BLACKWELL)):
        model = graph_from_layers([layer])
        assert len(builder.build(model, precision="fp32", target=target).content) > len(model) / 2


@pytest.mark.parametrize("precision", ["fp16", "int8"])
@pytest.mark.parametrize(("name", "kind"), [case for case in CASES if case[0] in SMALL])
def test_layers_build_in_other_precisions(builder, name, kind, precision):
    layer, _ = ends_by_kind(load_space(name))[kind]
    model = at_precision(graph_from_layers([layer]), precision)
    assert builder.build(model, precision=precision, target=AMPERE).options["precision"] == precision


@pytest.mark.slow
@pytest.mark.parametrize("name", space_names())
def test_whole_sub_networks_build(builder, name):
    space = load_space(name)
    smallest = np.zeros_like(space.radices)
    row = smallest if space.params([smallest])[0] > LARGE else space.sample(1, np.random.default_rng(0))[0]
    for part in models_from_architecture(space, space.architecture(row)):
        engine = builder.build(part.model, precision="fp32", target=AMPERE)
        assert len(engine.content) > len(part.model) / 2
