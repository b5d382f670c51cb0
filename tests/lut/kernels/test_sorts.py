"""Kernels of one sort run the same code, whatever the runtime calls them."""

import pytest

from gnomon.lut.kernels.graph.cost import Cost, macs_of
from gnomon.lut.kernels.graph.sorts import sort_of

COST = Cost(1e6, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0)
RESHAPE = "Reshape(x0:f32[20,1,64,8], w1:i64[3]=(0,0,-1))->=f32[20,1,512]"
LSTM = " ; com.microsoft:DynamicQuantizeLSTM{hidden_size=512}(y2, w3:i8[2,8,32], w4:i8[2,8,32])->=f32[20,2,1,8]"


@pytest.mark.parametrize(
    ("operator", "key", "sort"),
    [
        ("Reshape", RESHAPE, "Reshape f32"),
        ("Reshape", RESHAPE + LSTM, "Reshape f32 LSTM"),
        ("LSTM", "LSTM{hidden_size=8}(x0:f32[1,1,8], w1:f32[1,32,8])->=f32[1,1,1,8]", "LSTM f32"),
    ],
)
def test_a_recurrence_is_of_a_sort_of_its_own(operator, key, sort):
    assert sort_of(operator, key, COST) == sort


def test_a_quantised_recurrence_multiplies_as_another_does():
    shapes = [(20, 1, 512), (2, 512, 2048), (2, 512, 2048)]
    assert macs_of("DynamicQuantizeLSTM", shapes, [(20, 2, 1, 512)]) == 20 * 2 * 2 * 512 * 2048
