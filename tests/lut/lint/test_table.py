import functools
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gnomon.lut import load_profile, shipped_profiles
from gnomon.lut.lint import has_errors, lint_table
from gnomon.lut.lint.finding import Rows
from gnomon.lut.lint.origin import GAP, SMALLEST_FACTOR, two_clusters
from gnomon.lut.lint.physics import features, fit_robustly
from gnomon.lut.lint.units import peak_macs_per_s
from gnomon.supernets import LayerSpec, load_space
from gnomon.supernets.layers.registry import macs

PROFILES = shipped_profiles()
MANY = tuple(name for name in PROFILES if not name.startswith("bert_minilm/"))  # 18 rows: too few to hold up to others
OFA = next(name for name in PROFILES if name.startswith("ofa_mobilenetv3/") and ".onnxruntime." in name)


@functools.cache
def values_of(name):
    """Return the times of a shipped profile by layer, read once; nobody changes them."""
    return {key: m.value_us for key, m in load_profile(name).table.measurements.items()}


@pytest.fixture
def ofa():
    return values_of(OFA)


def found(values, **options):
    """Name what is found on a processor, the warnings about monotony left out: they are tested by themselves."""
    findings = lint_table(values, device="cpu", **options)
    return {finding.name: finding for finding in findings if finding.name != "not_monotone"}


def scaled(values, factor, keys=None):
    return {key: us * factor if keys is None or key in keys else us for key, us in values.items()}


def every(values, nth, offset=0):
    return set(list(values)[offset::nth])


@pytest.mark.parametrize("name", PROFILES)
def test_measured_tables_are_clean(name):
    assert found(values_of(name)) == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", PROFILES)
@example(factor=0.7)
@example(factor=1.5)
@given(factor=st.floats(0.7, 1.5))
@settings(max_examples=3, deadline=None)
def test_a_slower_or_faster_device_is_no_finding(name, factor):
    assert found(scaled(values_of(name), factor)) == {}


@pytest.mark.parametrize("value", [0.0, -0.0, -3.5, math.nan, math.inf, -math.inf])
def test_times_that_are_none_are_an_error_that_names_the_layers(ofa, value):
    keys = every(ofa, 40)
    findings = found({key: value if key in keys else us for key, us in ofa.items()})
    assert list(findings) == ["not_positive"]
    assert set(findings["not_positive"].keys) == keys
    assert findings["not_positive"].severity == "error"


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize(("factor", "said"), [(1e-3, "Multiply them by 1000"), (1e3, "Divide them by 1000")])
def test_a_whole_table_in_another_unit(name, factor, said):
    findings = found(scaled(values_of(name), factor))
    assert list(findings) == ["wrong_unit"]
    assert said in findings["wrong_unit"].text


def test_milliseconds_of_a_phone_are_seen_though_it_is_twenty_times_slower(ofa):
    assert list(found(scaled(ofa, 20e-3), threads=4)) == ["wrong_unit"]


@pytest.mark.parametrize("name", MANY)
@pytest.mark.parametrize(("nth", "factor"), [(3, 1e-3), (3, 1e6), (10, 1e3), (50, 1e-6), (50, 1e3)])
def test_some_rows_in_another_unit_are_named(name, nth, factor):
    values = values_of(name)
    keys = every(values, nth, 1)
    findings = found(scaled(values, factor, keys))
    assert list(findings) == ["mixed_units"]
    assert set(findings["mixed_units"].keys) == keys


def transformer():
    """Times of a transformer's layers on some processor: encoder layers by their work, embeddings by what they give."""
    fixed = {"vocabulary": 30_000, "limit": 64, "types": 1, "scaled": 0, "padding": 0, "norm": 0}
    widths = (64, 96, 128)
    rows = [(LayerSpec.of("token_embedding", (16,), width=width, **fixed), 4 + width / 50) for width in widths]
    rows += [(LayerSpec.of("token_embedding", (1,), width=width, **fixed), 5.0) for width in widths]
    for heads in (1, 2, 3, 4):
        for ffn in (256, 512, 1024):
            spec = LayerSpec.of(
                "encoder_layer", (16, 128), heads=heads, head_dim=32, ffn=ffn, activation="gelu", norm="post",
                epsilon_exponent=12, masked=1,
            )  # fmt: skip
            rows.append((spec, 10 + macs(spec) / 2e4))
    return {spec.key: us for spec, us in rows}


def test_an_embedding_may_be_quick_without_a_single_mac():
    assert found(transformer()) == {}


def test_an_embedding_in_another_unit_is_named():
    values = transformer()
    keys = every(values, 5)
    assert set(found(scaled(values, 1e3, keys))["mixed_units"].keys) == keys


def test_whole_milliseconds_are_too_coarse(ofa):
    phone = {key: max(1, round(us * 8 / 1000)) * 1000.0 for key, us in ofa.items()}
    findings = found(phone)
    assert list(findings) == ["quantised"]
    assert "multiples of 1000 us" in findings["quantised"].text
    assert findings["quantised"].severity == "error"


def test_a_coarse_clock_is_a_warning(ofa):
    findings = found({key: round(us / 20) * 20.0 for key, us in ofa.items()})
    assert findings["quantised"].severity == "warning"


def test_rounding_below_what_matters_is_no_finding(ofa):
    assert found({key: round(us, 1) for key, us in ofa.items()}) == {}


@pytest.mark.parametrize("name", MANY)
@pytest.mark.parametrize("factor", [1 / 8, 1 / 4, 4, 8])
def test_a_few_rows_of_another_device_are_named(name, factor):
    values = values_of(name)
    keys = every(values, 25, 5)
    findings = found(scaled(values, factor, keys))
    assert list(findings) == ["foreign_rows"]
    assert set(findings["foreign_rows"].keys) == keys


@pytest.mark.parametrize("name", MANY)
@pytest.mark.parametrize("factor", [1.25, 1.43, 1 / 1.43])
def test_rows_of_another_session_are_found_wherever_they_stand(name, factor):
    values = values_of(name)
    keys = list(values)
    scattered = set(np.random.default_rng(1).permutation(keys)[: len(keys) * 2 // 5].tolist())
    findings = found(scaled(values, factor, scattered))
    assert list(findings) == ["two_sessions"]
    named = set(findings["two_sessions"].keys)
    # Which of the two sessions is the odd one cannot be known: the smaller is named, by a split that errs a little.
    agreeing = sum((key in named) == (key in scattered) for key in keys)
    assert max(agreeing, len(keys) - agreeing) >= 0.8 * len(keys)


@pytest.mark.parametrize("name", MANY)
def test_rows_of_a_faster_session_in_a_block_are_found(name):
    values = values_of(name)
    keys = list(values)
    block = set(keys[len(keys) * 3 // 10 : len(keys) * 13 // 20])
    assert list(found(scaled(values, 1.43, block))) == ["two_sessions"]


@pytest.mark.slow
@given(seed=st.integers(0, 10**6), sigma=st.floats(0.005, 0.05))
@settings(max_examples=25, deadline=None)
def test_noise_up_to_five_percent_is_no_second_session(seed, sigma):
    noise = np.random.default_rng(seed).normal(0, sigma, len(SPECS))
    factor, gap, _ = two_clusters(COLUMNS, SMOOTH + noise)
    assert factor < SMALLEST_FACTOR or gap < GAP


SPECS = tuple(load_space("ofa_mobilenetv3").unique_layers())
COLUMNS = features(SPECS)
SMOOTH = COLUMNS @ fit_robustly(COLUMNS, np.log(list(values_of(OFA).values()))).coefficients


def test_more_work_in_less_time_is_a_warning_that_names_both():
    key = (
        "mbconv(40x28x28,activation=relu,kernel={},mid_channels=120,out_channels=40,residual=1,se_channels=32,stride=1)"
    )
    values = {key.format(3): 100.0, key.format(5): 110.0, key.format(7): 90.0}
    (finding,) = lint_table(values, device="cpu")
    assert (finding.severity, finding.name, finding.keys) == ("warning", "not_monotone", (key.format(7),))
    assert key.format(5) in finding.text
    assert "18 % less" in finding.text


@pytest.mark.parametrize(("quick", "spread"), [(96.0, 0.0), (90.0, 6.0)])
def test_a_difference_within_the_noise_is_not_against_order(quick, spread):
    key = "stem(3x224x224,activation=hswish,kernel=3,out_channels={},stride=2)"
    values = {key.format(16): 100.0, key.format(24): quick}
    assert lint_table(values, spread_us=dict.fromkeys(values, spread), device="cpu") == ()


def test_layers_of_another_stride_or_residual_are_not_compared():
    key = "mbconv(40x28x28,activation=relu,kernel=3,mid_channels={},out_channels=40,residual={},se_channels=0,stride=1)"
    assert lint_table({key.format(120, 0): 100.0, key.format(160, 1): 50.0}) == ()


def test_missing_layers_are_counted_with_the_networks_they_cost(ofa):
    stem = next(key for key in ofa if key.startswith("stem"))
    space = load_space("ofa_mobilenetv3")
    findings = found({key: us for key, us in ofa.items() if key != stem}, space=space)
    assert list(findings) == ["missing_layers"]
    assert "1 of 93 layers" in findings["missing_layers"].text
    assert "100 % of the sub-networks" in findings["missing_layers"].text
    block = next(key for key in ofa if "kernel=7" in key)
    share = found({key: us for key, us in ofa.items() if key != block}, space=space)["missing_layers"].text
    assert "100 %" not in share
    assert " 0 %" not in share


def test_rows_of_another_space_are_said(ofa):
    findings = found(ofa, space=load_space("ofa_mobilenetv3:width=1.2"))
    assert set(findings) == {"missing_layers", "strange_layers"}
    assert has_errors(findings.values())


def test_keys_that_are_no_layers_are_said(ofa):
    findings = found(ofa | {"conv9x9": 5.0, "mbconv(1x1x1)": 5.0, "lstm(4x4,units=3)": 5.0})
    assert list(findings) == ["unreadable_key"]
    assert len(findings["unreadable_key"].keys) == 3


@pytest.mark.parametrize("values", [{}, {"x": 0.0}, {SPECS[0].key: 100.0}])
def test_tiny_tables_are_linted_too(values):
    assert set(found(values)) <= {"not_positive", "unreadable_key"}


@pytest.mark.slow
@given(
    st.dictionaries(
        st.one_of(st.sampled_from([spec.key for spec in SPECS]), st.text(max_size=8)),
        st.floats(width=64),
        max_size=120,
    )
)
@settings(max_examples=40, deadline=None)
def test_any_table_can_be_linted(values):
    for finding in lint_table(values, device="cpu"):
        assert set(finding.keys) <= set(values)
        assert finding.text


def test_the_fastest_devices_are_bounded_by_kind_and_threads():
    assert peak_macs_per_s("cpu", "fp32", 2) == 2 * peak_macs_per_s("cpu", "fp32", 1)
    assert peak_macs_per_s("cpu", "int8", 1) > peak_macs_per_s("cpu", "fp32", 1)
    assert peak_macs_per_s("gpu", "fp32", 1) == 1e15


def test_the_features_of_a_residual_block_count_its_two_kinds_of_convolution():
    spec = LayerSpec.of("mbconv", (8, 4, 4), kernel=3, stride=1, mid_channels=16, out_channels=8, activation="relu",
                        se_channels=0, residual=1)  # fmt: skip
    from gnomon.lut.lint.physics import work_of

    dense, depthwise, moved, _ = work_of(spec)
    assert dense == 2 * 8 * 16 * 16
    assert depthwise == 9 * 16 * 16
    assert moved == (8 + 16 + 16 + 16 + 16 + 8 + 2 * 8) * 16


def test_rows_without_what_was_found_keep_the_rest(ofa):
    rows = Rows({"a": 1.0, "b": 0.0})
    from gnomon.lut.lint.values import not_positive

    assert dict(rows.without(not_positive(rows)).value_us) == {"a": 1.0}
