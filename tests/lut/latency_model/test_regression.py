from dataclasses import replace

import numpy as np
import pytest

from gnomon.lut import LatencyTable, LutError, load_profile, with_predictions
from gnomon.lut.latency_model.regression import LayerRegression, SizeCurves
from gnomon.profilers.timing.measurement import Measurement
from gnomon.supernets import LayerSpec, load_space
from gnomon.supernets.layers.registry import macs, output_shape

SHIPPED = load_profile("ofa_mobilenetv3/amd-epyc-2c.onnxruntime.fp32.b1.t1")
BLOCKS = [key for key in SHIPPED.table.measurements if key.startswith("mbconv")]


def at_size(size, **changes):
    attributes = {"kernel": 3, "stride": 1, "mid_channels": 72, "out_channels": 24, "activation": "relu"}
    return LayerSpec.of("mbconv", (24, size, size), se_channels=0, residual=1, **(attributes | changes))


def linear_us(spec):
    return 20.0 + 0.05 * np.prod(spec.input_shape[1:]) + 0.03 * np.prod(output_shape(spec)[1:])


def steady(us):
    return Measurement(((us, us, us), (us, us, us)), 10)


def table_of(layers):
    return LatencyTable({spec.key: steady(linear_us(spec)) for spec in layers}, {})


def test_a_size_between_measured_ones_is_interpolated():
    wanted = at_size(44)
    completed = with_predictions(table_of([at_size(32), at_size(40), at_size(48)]), [wanted])
    assert completed.value_us(wanted) == pytest.approx(linear_us(wanted))
    assert completed.source(wanted) == "interpolated"
    assert completed.doubt(wanted) > 0


def test_a_size_beyond_the_measured_ones_is_flagged_and_doubted_more():
    inside, outside = at_size(44), at_size(60)
    completed = with_predictions(table_of([at_size(32), at_size(40), at_size(48)]), [inside, outside])
    assert completed.source(outside) == "extrapolated"
    assert completed.value_us(outside) == pytest.approx(linear_us(outside))
    assert completed.doubt(outside) > 2 * completed.doubt(inside)


def test_from_a_single_size_it_is_scaled_by_the_pixels_and_doubted_even_more():
    wanted = at_size(64)
    completed = with_predictions(table_of([at_size(32)]), [wanted])
    assert completed.value_us(wanted) == pytest.approx(4 * linear_us(at_size(32)))
    assert completed.source(wanted) == "extrapolated"
    assert completed.doubt(wanted) > 0.5


def sequence_layer(kind, tokens):
    if kind == "token_embedding":
        fixed = {"vocabulary": 100, "width": 32, "limit": 64, "types": 1, "scaled": 0, "padding": 0, "norm": 0}
        return LayerSpec.of(kind, (tokens,), **fixed)
    fixed = {"heads": 4, "head_dim": 8, "ffn": 64, "activation": "gelu", "norm": "post", "masked": 1}
    return LayerSpec.of(kind, (tokens, 32), epsilon_exponent=5, **fixed)


@pytest.mark.parametrize("kind", ["token_embedding", "encoder_layer"])
def test_the_size_of_a_sequence_is_its_tokens(kind):
    known = {sequence_layer(kind, tokens).key: steady(10.0 + 2 * tokens) for tokens in (8, 16, 32)}
    between, beyond = sequence_layer(kind, 24), sequence_layer(kind, 48)
    completed = with_predictions(LatencyTable(known, {}), [between, beyond])
    assert completed.value_us(between) == pytest.approx(58.0)
    assert completed.value_us(beyond) == pytest.approx(106.0)
    assert (completed.source(between), completed.source(beyond)) == ("interpolated", "extrapolated")


def test_a_sequence_and_an_image_are_never_one_layer():
    image = at_size(4)
    assert SizeCurves.of({image: 5.0}).at(replace(image, input_shape=(16, 24))) is None
    assert SizeCurves.of({image: 5.0}).at(image) is not None


def test_a_line_that_would_fall_below_zero_is_not_used():
    small, large = at_size(32), at_size(48)
    falling = LatencyTable({small.key: steady(50.0), large.key: steady(5.0)}, {})
    assert SizeCurves.of({small: 50.0, large: 5.0}).at(at_size(96)) is None
    with pytest.raises(LutError, match="it takes 10"):
        with_predictions(falling, [at_size(96)])


def test_what_was_measured_stays_as_it_was():
    layers = [at_size(32), at_size(48)]
    completed = with_predictions(table_of(layers), layers)
    assert completed.predicted == {}


@pytest.mark.parametrize("seed", range(4))
def test_blocks_left_out_of_a_real_profile_are_predicted_within_their_interval(seed):
    left_out = set(np.random.default_rng(seed).choice(BLOCKS, 20, replace=False))
    kept = {key: m for key, m in SHIPPED.table.measurements.items() if key not in left_out}
    layers = [LayerSpec.from_key(key) for key in sorted(left_out)]
    completed = with_predictions(LatencyTable(kept, {}), layers)
    truth = np.array([SHIPPED.table.value_us(spec) for spec in layers])
    found = np.array([completed.value_us(spec) for spec in layers])
    assert {completed.source(spec) for spec in layers} == {"predicted"}
    assert np.median(np.abs(found / truth - 1)) < 0.05
    inside = np.abs(np.log(found / truth)) <= [completed.doubt(spec) for spec in layers]
    assert inside.mean() >= 0.7


def test_a_kind_seen_too_seldom_is_an_error_that_says_how_often():
    with pytest.raises(LutError, match=r"3 layers of kind 'mbconv'.*it takes 10"):
        with_predictions(table_of([at_size(32, kernel=5), at_size(40), at_size(48)]), [at_size(32, kernel=7)])


def test_predictions_do_not_depend_on_the_order_of_the_table():
    known = {LayerSpec.from_key(key): SHIPPED.table.measurements[key].value_us for key in BLOCKS[:60]}
    wanted = [LayerSpec.from_key(key) for key in BLOCKS[60:]]
    once = LayerRegression.fit(known, "mbconv").predict_us(wanted)
    again = LayerRegression.fit(dict(reversed(known.items())), "mbconv").predict_us(wanted)
    assert again == pytest.approx(once, rel=1e-6)


def test_a_whole_space_can_be_predicted_from_another_resolution():
    wanted = load_space("ofa_mobilenetv3:resolution=208").unique_layers()
    completed = with_predictions(
        LatencyTable(
            {
                spec.key: steady(20 + macs(spec) / 2e4)
                for size in (192, 224)
                for spec in load_space(f"ofa_mobilenetv3:resolution={size}").unique_layers()
            },
            {},
        ),
        wanted,
    )
    assert {completed.source(spec) for spec in wanted} <= {"composed", "interpolated", "predicted"}
    errors = [abs(completed.value_us(spec) / (20 + macs(spec) / 2e4) - 1) for spec in wanted]
    assert max(errors) < 0.05
