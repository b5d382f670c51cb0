"""Every working node of a file is behind exactly one kernel, and a kernel's time is where its work is."""

import numpy as np
import onnx
import pytest

from gnomon.lut.kernels.graph.named import named
from gnomon.lut.kernels.graph.originals import with_originals
from gnomon.lut.kernels.sample import images


@pytest.mark.slow
@pytest.mark.parametrize("family", [images.residual, images.shuffled, images.detector])
def test_every_node_is_behind_one_kernel_and_convolutions_are_behind_convolutions(scripted, family):
    asked = named(family(np.random.default_rng(2)))
    graph = with_originals(scripted.graph_of(asked), asked)
    nodes = {node.name: node for node in onnx.load_from_string(asked).graph.node}
    found = [name for call in graph.calls for name in call.originals]
    assert sorted(found) == sorted(nodes)
    for call in graph.calls:
        operators = {nodes[name].op_type for name in call.originals}
        assert ("Conv" in operators) == (call.operator in ("Conv", "FusedConv", "NhwcFusedConv")), call


@pytest.mark.slow
def test_a_convolution_is_behind_a_kernel_of_its_window_and_size(scripted):
    asked = named(images.branched(np.random.default_rng(0)))
    graph = with_originals(scripted.graph_of(asked), asked)
    nodes = {node.name: node for node in onnx.load_from_string(asked).graph.node}
    windows = {
        name: list(next(a.ints for a in n.attribute if a.name == "kernel_shape"))
        for name, n in nodes.items()
        if n.op_type == "Conv"
    }
    for call in graph.calls:
        for name in call.originals:
            if name in windows and max(windows[name]) > 1:
                assert f"kernel_shape={','.join(map(str, windows[name]))}" in call.key
