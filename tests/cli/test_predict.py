"""`gnomon predict --explain`: what is printed adds up, and what cannot be explained says why."""

import json

import numpy as np
import pytest

from gnomon.lut import load_profile
from gnomon.lut.store import SHIPPED


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


def test_two_networks_are_also_held_against_each_other(gnomon, profile_name):
    arguments = ("predict", profile_name, "--arch", "largest", "--arch", "smallest", "--explain")
    told = gnomon(*arguments, "--json").json
    difference, (first, second) = told["difference"], told["architectures"]
    assert (difference["first"], difference["second"]) == (first["id"], second["id"])
    assert difference["change_us"] == pytest.approx(second["latency_us"] - first["latency_us"])
    assert sum(slot["change_us"] for slot in difference["slots"]) == pytest.approx(difference["change_us"])
    printed = gnomon(*arguments).out
    assert f"differ   {first['id']} and {second['id']} in {len(difference['slots'])} of" in printed
    assert "intervals do not overlap" in printed


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
