"""Every kind of layer of every space, and some whole sub-networks, build for two GPUs that are not here."""

import functools
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
WHOLE = ("fashion_mnist", "translate_en_de", "bert_minilm")  # benchmarks/tensorrt_builds.py builds the larger ones
AMPERE, BLACKWELL = "sm86", "sm120"


@functools.cache
def ends_by_kind(name):
    """Return the smallest and the largest layer of each kind of a space."""
    kinds = defaultdict(list)
    for layer in sorted(load_space(name).unique_layers(), key=lambda layer: (macs(layer), layer.key)):
        kinds[layer.kind].append(layer)
    return {kind: (layers[0], layers[-1]) for kind, layers in kinds.items()}


CASES = [(name, kind) for name in space_names() for kind in ends_by_kind(name)]


@pytest.fixture(scope="module")
def builder():
    try:
        return load_builder("tensorrt_rtx")
    except BackendUnavailable as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_the_smallest_and_the_largest_layer_of_a_kind_build(builder, name, kind):
    smallest, largest = ends_by_kind(name)[kind]
    for layer, target in ((smallest, AMPERE), (largest, BLACKWELL)):
        model = graph_from_layers([layer])
        assert len(builder.build(model, precision="fp32", target=target).content) > len(model) / 2


@pytest.mark.parametrize("precision", ["fp16", "int8"])
@pytest.mark.parametrize(("name", "kind"), [case for case in CASES if case[0] in SMALL])
def test_layers_build_in_other_precisions(builder, name, kind, precision):
    layer, _ = ends_by_kind(name)[kind]
    model = at_precision(graph_from_layers([layer]), precision)
    assert builder.build(model, precision=precision, target=AMPERE).options["precision"] == precision


@pytest.mark.slow
@pytest.mark.parametrize("name", WHOLE)
def test_whole_sub_networks_build(builder, name):
    space = load_space(name)
    (row,) = space.sample(1, np.random.default_rng(0))
    for part in models_from_architecture(space, space.architecture(row)):
        engine = builder.build(part.model, precision="fp32", target=AMPERE)
        assert len(engine.content) > len(part.model) / 2
