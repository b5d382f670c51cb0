"""`gnomon predict --explain`: what is printed adds up, and what cannot be explained says why."""

import json

import numpy as np
import pytest

from gnomon.lut import load_profile
from gnomon.lut.profile_file.store import SHIPPED
from gnomon.profilers import fingerprint


@pytest.fixture
def profile_of(profile_name, tmp_path):
    """Return a function that copies the shipped profile with a changed header."""
    header, *rest = (SHIPPED / f"{profile_name}.jsonl").read_text().splitlines(keepends=True)

    def copy(**changes):
        path = tmp_path / "copy.jsonl"
        path.write_text("".join([json.dumps({**json.loads(header), **changes}) + "\n", *rest]))
        return path

    return copy


@pytest.fixture
def profile_of_here(profile_of):
    here = fingerprint()
    return profile_of(device=here.slug, hardware=here.to_json())


def test_explained_layers_sum_to_the_prediction(gnomon, profile_name):
    found = gnomon("predict", profile_name, "--arch", "random:3", "--explain", "--json").json
    assert len(found["architectures"]) == 3
    assert "difference" not in found
    for row in found["architectures"]:
        told = row["explanation"]
        total = sum(layer["contribution_us"] for layer in told["layers"]) + told["unassigned_us"]
        assert total == pytest.approx(row["latency_us"])
        assert told["isolated_us"] + told["correction_us"] == pytest.approx(row["latency_us"])
        assert sum(layer["macs"] for layer in told["layers"]) == row["macs"]
        assert {layer["stage"] for layer in told["layers"]} == {stage["name"] for stage in told["stages"]}


def test_an_explanation_reads_from_layers_to_the_verified_error(gnomon, profile_name):
    lines = gnomon("predict", profile_name, "--arch", "largest", "--explain").out.splitlines()
    starts = [line.split()[0] for line in lines if line.strip()]
    order = ["network", "slot", "stem", "block3.1", "head", "stage", "kind", "alone", "model", "total", "verified"]
    assert [starts.index(word) for word in order] == sorted(starts.index(word) for word in order)
    assert any(line.startswith("total") and "90 % in" in line and "composed" in line for line in lines)
    assert "█" * 20 in "\n".join(lines)


@pytest.mark.slow
def test_two_networks_are_also_held_against_each_other(gnomon, profile_name):
    arguments = ("predict", profile_name, "--arch", "largest", "--arch", "smallest", "--explain")
    told = gnomon(*arguments, "--json").json
    difference, (first, second) = told["difference"], told["architectures"]
    assert (difference["first"], difference["second"]) == (first["id"], second["id"])
    assert difference["change_us"] == pytest.approx(second["latency_us"] - first["latency_us"])
    of_slots = sum(slot["change_us"] for slot in difference["slots"])
    assert of_slots + difference["unassigned_change_us"] == pytest.approx(difference["change_us"])
    assert abs(difference["unassigned_change_us"]) > 1  # this profile's model knows a cache that weights spill over
    printed = gnomon(*arguments).out
    assert f"differ   {first['id']} and {second['id']} in {len(difference['slots'])} of" in printed
    assert "intervals do not overlap" in printed
    assert f"{difference['unassigned_change_us']:+,.1f} us of it belong to no layer" in printed


def test_equal_networks_differ_in_nothing(gnomon, profile_name):
    outcome = gnomon("predict", profile_name, "--arch", "largest", "--arch", "largest", "--explain")
    assert "in 0 of" in outcome.out
    assert "overlap, so this may be no difference at all" in outcome.out


def test_one_or_three_networks_are_not_compared(gnomon, profile_name):
    assert "differ " not in gnomon("predict", profile_name, "--arch", "largest", "--explain").out


@pytest.mark.parametrize("arch", ["hugest", "0,1", ",".join(["9"] * 26)])
def test_an_architecture_outside_the_space_is_refused(gnomon, profile_name, arch):
    outcome = gnomon("predict", profile_name, "--arch", arch, "--explain")
    assert outcome.code == 2
    assert "fashion_mnist" in outcome.err
    assert not outcome.out


def test_a_layer_that_the_profile_lacks_is_named(gnomon, profile_name, tmp_path):
    profile = load_profile(profile_name)
    space = profile.space
    verified = {spec for n in profile.networks for spec in space.layers(space.architecture(n.indices))}
    drawn = map(space.architecture, space.sample(200, np.random.default_rng(0)))
    architecture, absent = next((a, spec.key) for a in drawn for spec in space.layers(a) if spec not in verified)
    path = tmp_path / "partial.jsonl"
    lines = (SHIPPED / f"{profile_name}.jsonl").read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if json.loads(line).get("key") != absent))
    outcome = gnomon("predict", path, "--arch", ",".join(map(str, architecture.indices)), "--explain")
    assert outcome.code == 2
    assert absent in outcome.err
    assert "Profile the space again" in outcome.err


@pytest.mark.slow
def test_operators_are_held_against_layers_on_the_profiles_device(gnomon, profile_of_here):
    outcome = gnomon("predict", profile_of_here, "--arch", "smallest", "--operators", "--json")
    assert outcome.code == 0
    assert "without and with the profiler of onnxruntime" in outcome.err
    (row,) = outcome.json["architectures"]
    found = row["operators"]
    assert [layer["slot"] for layer in found["layers"]] == [layer["slot"] for layer in row["explanation"]["layers"]]
    shares = [layer["profiled_share"] for layer in found["layers"]] + [found["unexplained"]["profiled_share"]]
    assert sum(shares) == pytest.approx(1)
    assert all(layer["operators"] for layer in found["layers"])
    assert found["overhead"] == pytest.approx(found["profiled_inference_us"] / found["measured_us"])
    assert found["profiled_us"] + found["outside_us"] == pytest.approx(found["profiled_inference_us"])


@pytest.mark.slow
def test_printed_operators_say_what_they_are_worth(gnomon, profile_of):
    here = fingerprint()
    path = profile_of(device=here.slug, hardware=here.to_json(), versions={"onnxruntime": "1.0.0"})
    outcome = gnomon("predict", path, "--arch", "smallest", "--explain", "--operators")
    assert outcome.code == 0
    starts = [line.split()[0] for line in outcome.out.splitlines() if line.strip()]
    order = ["network", "total", "measured", "profiled", "verified"]
    assert [starts.index(word) for word in order] == sorted(starts.index(word) for word in order)
    assert " no layer " in outcome.out
    assert "Compare shares only." in outcome.out
    assert "differs  versions.onnxruntime: profile 1.0.0, here" in outcome.out


def test_operators_of_another_devices_profile_are_refused(gnomon, profile_of):
    outcome = gnomon("predict", profile_of(device="raspberry-pi-5-4c"), "--arch", "smallest", "--operators")
    assert outcome.code == 2
    assert "is of another device (device: profile 'raspberry-pi-5-4c', here" in outcome.err
    assert "gnomon profile --space fashion_mnist --backend onnxruntime" in outcome.err
    assert not outcome.out


@pytest.mark.slow
def test_operators_of_an_absent_runtime_name_the_known_ones(gnomon, profile_of):
    here = fingerprint()
    path = profile_of(device=here.slug, hardware=here.to_json(), backend="tensorrrt")
    outcome = gnomon("predict", path, "--arch", "smallest", "--operators")
    assert outcome.code == 3
    assert "known are: onnxruntime, onnxruntime:cuda" in outcome.err


@pytest.mark.slow
def test_a_resolution_never_profiled_is_predicted_and_flagged(gnomon):
    name = "ofa_mobilenetv3/amd-epyc-2c.onnxruntime.fp32.b1.t1"
    found = gnomon("predict", name, "--space", "ofa_mobilenetv3:resolution=192", "--arch", "largest", "--json").json
    own = gnomon("predict", name, "--arch", "largest", "--json").json
    (other,), (measured,) = found["architectures"], own["architectures"]
    assert other["source"] == "extrapolated"
    assert measured["source"] == "composed"
    assert other["latency_us"] < measured["latency_us"]
    assert other["high_us"] / other["low_us"] > measured["high_us"] / measured["low_us"]
    lines = gnomon("predict", name, "--space", "ofa_mobilenetv3:resolution=192").out
    assert "not on ofa_mobilenetv3:resolution=192 itself" in lines


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("--with", "fashion_mnist/amd-epyc-2c.openvino.fp32.b1.t1"), "--space"),
        (("--space", "fashion_mnist", "--explain"), "profile of the space itself"),
        (("--space", "fashion_mnist", "--with", "fashion_mnist/amd-epyc-2c.openvino.fp32.b1.t1"), "backend is"),
        (("--space", "fashion_mnst"), "did you mean 'fashion_mnist'?"),
        (("--space", "ofa_resnet50"), "it takes 10 to predict"),
    ],
)
def test_what_cannot_be_predicted_from_a_profile_says_why(gnomon, profile_name, arguments, hint):
    outcome = gnomon("predict", profile_name, *arguments)
    assert outcome.code == 2
    assert hint in outcome.err


def test_bars_are_drawn_to_the_longest_and_need_none():
    from gnomon.cli.printing.explanation import BAR_WIDTH, bars_of

    assert [len(bar) for bar in bars_of([0.5, 0.25, -0.1])] == [BAR_WIDTH, BAR_WIDTH // 2, 0]
    assert bars_of([0.0, -0.1]) == ["", ""]  # a model whose constant takes all of a network's time


def test_predict_prints_intervals_and_the_verified_error(gnomon, profile_name):
    outcome = gnomon("predict", profile_name, "--arch", "largest", "--arch", "random:2", "--json")
    found = outcome.json["architectures"]
    assert len(found) == 3
    assert all(row["low_us"] < row["latency_us"] < row["high_us"] for row in found)
    assert outcome.json["verified"]["networks"] >= 10
