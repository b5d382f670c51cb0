import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.lut import LatencyTable, load_profile, shipped_profiles
from gnomon.lut.errors import TableUnreadable
from gnomon.lut.interchange import read_table, write_table
from gnomon.lut.interchange.ofa_keys import layer_of, layers_from_ofa, ofa_keys_of
from gnomon.supernets import LayerSpec, load_space

OFA = next(name for name in shipped_profiles() if name.startswith("ofa_mobilenetv3/") and ".onnxruntime." in name)
FASHION = next(name for name in shipped_profiles() if name.startswith("fashion_mnist/") and ".onnxruntime." in name)
SPACES = st.builds(
    lambda width, step: load_space(f"ofa_mobilenetv3:width={width},resolution={128 + 4 * step}"),
    st.sampled_from((1.0, 1.2)),
    st.integers(0, 24),
)
HEAD = {  # of a published table of the space at width 1.2; in milliseconds
    "AvgPool2D-input:7x7x1152-output:1x1x1152": 0.015,
    "Conv_1-input:7x7x192-output:7x7x1152": 0.694,
    "Conv_2-input:1x1x1152-output:1x1x1536": 0.762,
    "Logits-input:1x1x1536-output:1000": 0.669,
}


def table(tmp_path, text):
    path = tmp_path / "t.yaml"
    path.write_text(text)
    return read_table(path)


def entries(values):
    return "".join(f"{key}:\n  count: 50\n  mean: {ms}\n  std: 0.1\n" for key, ms in values.items())


@given(SPACES)
@settings(max_examples=10, deadline=None)
def test_every_layer_of_every_published_space_has_keys_that_lead_back(space):
    layers = space.unique_layers()
    keys = [key for spec in layers for key in ofa_keys_of(spec)]
    found, unmapped = layers_from_ofa(tuple(keys))
    assert set(found) == set(layers)
    assert unmapped == ()
    assert len(set(keys)) == len(keys) == len(layers) + 3


@given(SPACES)
@settings(max_examples=5, deadline=None)
def test_the_shares_of_a_layers_keys_add_up(space):
    for spec in space.unique_layers():
        assert sum(ofa_keys_of(spec).values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (
            "Conv-input:224x224x3-output:112x112x24",
            "stem(3x224x224,activation=hswish,kernel=3,out_channels=24,stride=2)",
        ),
        (
            "expanded_conv-input:112x112x24-output:112x112x24-expand:24-kernel:3-stride:1-idskip:1-se:0-hs:0",
            "mbconv(24x112x112,activation=relu,kernel=3,mid_channels=24,out_channels=24,residual=1,se_channels=0,stride=1)",
        ),
        (
            "expanded_conv-input:14x14x96-output:14x14x136-expand:288-kernel:5-stride:1-idskip:0-se:1-hs:1",
            "mbconv(96x14x14,activation=hswish,kernel=5,mid_channels=288,out_channels=136,residual=0,se_channels=72,stride=1)",
        ),
    ],
)
def test_published_keys_are_our_layers(theirs, ours):
    assert layer_of(theirs) == LayerSpec.from_key(ours)
    assert list(ofa_keys_of(LayerSpec.from_key(ours))) == [theirs]


@pytest.mark.parametrize(
    "key",
    [
        "expanded_conv-input:112x112x16-output:56x56x24-expand:6-kernel:3-stride:2-idskip:0",  # MobileNetV2: a ratio
        "expanded_conv-input:112x112x16-output:112x112x24-expand:48-kernel:3-stride:2-idskip:0-se:0-hs:0",  # not halved
        "expanded_conv-input:112x112x16-output:56x56x24-expand:48-kernel:3-stride:0-idskip:0-se:0-hs:0",
        "expanded_conv-input:112x112x16-output:56x56x24-expand:48-kernel:3-stride:2-idskip:0-se:2-hs:0",
        "Conv-input:224x224x3-output:224x224x16",
        "Conv-input:224x224-output:112x112",
        "Logits-input:1x1x1536-output:1000",
        "maxpool",
        "",
    ],
)
def test_keys_without_a_layer_are_kept_apart(key):
    assert layers_from_ofa((key,)) == ({}, (key,))


@pytest.mark.parametrize(
    "key",
    [
        "head(64x4x4,classes=10,final_channels=256,mix_channels=0)",
        "stem(1x28x28,activation=hswish,kernel=3,out_channels=16,stride=2)",
        "mbconv(8x4x4,activation=hswish,kernel=3,mid_channels=48,out_channels=8,residual=1,se_channels=48,stride=1)",
    ],
)
def test_layers_without_a_key_have_none(key):
    assert ofa_keys_of(LayerSpec.from_key(key)) == {}


def test_a_published_head_is_the_sum_of_its_parts_and_needs_them_all(tmp_path):
    (row,) = table(tmp_path, entries(HEAD)).rows
    assert row.key == "head(192x7x7,classes=1000,final_channels=1152,mix_channels=1536)"
    assert row.value_us == pytest.approx(1000 * sum(HEAD.values()))
    assert row.visits == 50
    for key in HEAD:
        rest = {other: ms for other, ms in HEAD.items() if other != key}
        found = table(tmp_path, entries(rest))
        assert found.rows == ()
        assert set(found.unmapped) == set(rest)


def test_an_export_reads_back_as_the_same_table(tmp_path):
    profile = load_profile(OFA)
    path = tmp_path / "t.yml"
    assert write_table(profile, path) == ()
    again = read_table(path)
    assert again.value_us == pytest.approx({k: m.value_us for k, m in profile.table.measurements.items()}, rel=1e-12)
    assert {row.key: row.visits for row in again.rows} == {k: m.visits for k, m in profile.table.measurements.items()}
    assert path.read_text().count("apportioned: true") == 4


def test_layers_that_cannot_be_written_are_returned(tmp_path):
    profile, fashion = load_profile(OFA), load_profile(FASHION)
    measurements = profile.table.measurements
    strange = LatencyTable({**measurements, "conv9": next(iter(measurements.values()))}, {})
    assert write_table(dataclasses.replace(profile, table=strange), tmp_path / "t.yaml") == ("conv9",)
    without = write_table(fashion, tmp_path / "f.yaml")
    assert all(key.startswith(("head", "stem", "mbconv")) for key in without)
    assert any(key.startswith("head") for key in without)
    only_heads = {key: m for key, m in fashion.table.measurements.items() if key.startswith("head")}
    with pytest.raises(TableUnreadable, match="no layer of fashion_mnist"):
        write_table(dataclasses.replace(fashion, table=LatencyTable(only_heads, {})), tmp_path / "h.yaml")
    assert not (tmp_path / "h.yaml").exists()


def test_wrong_times_are_read_as_they_are_for_the_lint_to_judge(tmp_path):
    first, second = ofa_keys_of(load_space("ofa_mobilenetv3").unique_layers()[0]), next(iter(HEAD))
    found = table(tmp_path, entries({next(iter(first)): -0.5, second: 0}))
    assert [row.value_us for row in found.rows] == [-500.0]
    assert found.unmapped == (second,)


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "line 1: "),
        ("a: &x\n  mean: 1\nb: *x\n", "line 1: expected a mapping of keys to plain fields, without anchors"),
        ("a:\n  mean: 1\nb: *a\n", "line 3"),
        ("a:\n  mean: 1\na:\n  mean: 2\n", "line 3: a comes twice"),
        ("a: 1\n", "found"),
        ("- a\n", "line 1: found SequenceStartEvent"),
        ("a:\n  mean: {x: 1}\n", "line 2"),
        ("a:\n  mean: quick\n", "line 1: found {'mean': 'quick'}"),
        ("a:\n  count: 1\n", "expected mean: milliseconds"),
        ("? {a: 1}\n: b\n", "line 1"),
        ("a: {mean: 1\n", "is not YAML"),
        ("!!python/object/apply:os.system ['true']\n", "line 1"),
        ("a: !!python/object/apply:os.system ['true']\n", "line 1"),
        ("", "holds no entry"),
        ("{" * 3000, "line 1"),
    ],
)
def test_other_yaml_is_refused_with_its_line_and_nothing_is_built(tmp_path, text, said):
    with pytest.raises(TableUnreadable) as raised:
        table(tmp_path, text)
    assert said in str(raised.value)


def test_a_file_too_large_for_a_table_is_not_opened(tmp_path):
    path = tmp_path / "t.yaml"
    with path.open("wb") as file:
        file.truncate(10_000_001)
    with pytest.raises(TableUnreadable, match="10,000,001 bytes"):
        read_table(path)


def test_absurdly_many_heads_are_left_unmapped():
    keys = [f"{kind}-input:1x1x{n}-output:1x1x{n}" for kind in ("Conv_1", "Conv_2") for n in range(1, 200)]
    found, unmapped = layers_from_ofa((*keys, "Logits-input:1x1x5-output:10"))
    assert found == {}
    assert len(unmapped) == len(keys) + 1
