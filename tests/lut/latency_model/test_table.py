import math

import pytest

from gnomon.lut import LatencyMissing, LatencyTable
from gnomon.lut.latency_model.table import PredictedLayer
from gnomon.lut.latency_model.terms import weight_kib
from gnomon.profilers.timing.measurement import Measurement
from gnomon.supernets import LayerSpec, load_space
from gnomon.supernets.layers.registry import weight_shapes

MEASURED = LayerSpec.of("head", (8, 4, 4), final_channels=16, mix_channels=0, classes=10)
FAILED = LayerSpec.of("head", (16, 4, 4), final_channels=16, mix_channels=0, classes=10)
UNKNOWN = LayerSpec.of("head", (32, 4, 4), final_channels=16, mix_channels=0, classes=10)


@pytest.fixture
def table():
    return LatencyTable({MEASURED.key: Measurement(((4.0, 4.0, 5.0),), 10)}, {FAILED.key: "ModelRejected: too wide"})


def test_a_measured_layer_has_its_measurements_value(table):
    assert table.value_us(MEASURED) == 4.0
    assert table.value_or_nan(MEASURED) == 4.0


def test_a_failed_layer_is_missing_and_says_why(table):
    with pytest.raises(LatencyMissing, match=r"head\(16x4x4.*ModelRejected: too wide") as raised:
        table.value_us(FAILED)
    assert raised.value.keys == (FAILED.key,)


def test_a_predicted_layer_has_a_value_and_says_that_it_was_not_measured(table):
    completed = LatencyTable(table.measurements, {}, {UNKNOWN.key: PredictedLayer(7.0, 0.2, "predicted")})
    assert completed.value_us(UNKNOWN) == 7.0
    assert (completed.source(UNKNOWN), completed.doubt(UNKNOWN)) == ("predicted", 0.2)
    assert (completed.source(MEASURED), completed.doubt(MEASURED)) == ("composed", 0.0)
    completed.require((MEASURED, UNKNOWN))


def test_a_layer_of_another_space_is_missing(table):
    with pytest.raises(LatencyMissing, match="not part of the profile"):
        table.value_us(UNKNOWN)


def test_what_is_missing_is_never_zero(table):
    assert math.isnan(table.value_or_nan(FAILED))
    assert math.isnan(table.value_or_nan(UNKNOWN))


def test_requiring_layers_names_all_that_are_missing(table):
    table.require((MEASURED,))
    with pytest.raises(LatencyMissing, match="2 of 3 layers") as raised:
        table.require((FAILED, MEASURED, UNKNOWN))
    assert raised.value.keys == (FAILED.key, UNKNOWN.key)


@pytest.mark.parametrize("space", ["fashion_mnist", "ofa_mobilenetv3", "ofa_resnet50"])
def test_all_weights_of_a_convolutional_layer_are_multiplied_with(space):
    for spec in load_space(space).unique_layers():
        assert weight_kib(spec) * 256 == sum(math.prod(shape) for shape in weight_shapes(spec).values())


def test_a_table_that_is_looked_up_is_not_read():
    assert not weight_kib(
        LayerSpec.of(
            "token_embedding", (8,), vocabulary=30000, width=32, limit=64, types=1, scaled=0, padding=0, norm=0
        )
    )
