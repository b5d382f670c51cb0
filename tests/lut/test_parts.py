"""Networks of several parts, from the plan to the explanation: what runs several times counts as often."""

import math
from dataclasses import replace

import numpy as np
import pytest

from gnomon.lut import (
    ProfileRequest,
    build_profile,
    explain,
    explain_operators,
    lint_profile,
    load_profile,
    measure_model,
    model_for_space,
    timed_model,
)
from gnomon.lut.latency_model.sampling import networks_for, physical_sums
from gnomon.lut.latency_model.terms import PHYSICAL
from gnomon.lut.measuring.build import plan_for
from gnomon.supernets.graph import PartModel, graph_from_layers, models_from_architecture
from gnomon.supernets.testing import SpaceContract

pytestmark = pytest.mark.slow

STEPS = 6


class TestPairs(SpaceContract):
    @pytest.fixture
    def space(self, pairs):
        return pairs


@pytest.fixture
def request_for(quick_policy):
    def build(backend="fake", **changes):
        return ProfileRequest("pairs", backend, networks=16, policy=quick_policy, **changes)

    return build


@pytest.fixture
def profile_of(pairs, request_for, tmp_path):
    return lambda backend="fake", **changes: build_profile(request_for(backend, **changes), tmp_path / "p.jsonl")


def test_a_network_that_is_one_model_is_timed_as_that_model(tiny):
    layers = tiny.layers(tiny.architecture([1, 1, 2]))
    assert timed_model(models_from_architecture(tiny, tiny.architecture([1, 1, 2]))) == graph_from_layers(layers)


def test_one_part_that_runs_several_times_is_a_program():
    (part,) = timed_model([PartModel("decoder_step", b"model", 3)])
    assert (part.name, part.model, part.runs) == ("decoder_step", b"model", 3)


def test_a_plan_of_two_parts_times_layers_alone_and_networks_as_programs(pairs, request_for, tmp_path):
    plan = plan_for(request_for(), pairs, tmp_path)
    programs = [item for item in plan.items if item.role == "network"]
    assert {tuple((part.name, part.runs) for part in item.parts) for item in programs} == {
        (("encoder", 1), ("decoder_step", STEPS))
    }
    alone = [item for item in plan.items if item.role == "layer"]
    assert [item.key for item in alone] == [spec.key for spec in pairs.unique_layers()]
    assert not any(item.parts for item in alone)


def test_a_profile_of_two_parts_predicts_what_it_measured(profile_of, pairs, tmp_path):
    profile = profile_of()
    rows = [network.indices for network in profile.networks]
    assert len(rows) == pairs.size == 16
    taken = [measurement.value_us for measurement in profile.network_measurements]
    # The fake takes 5 us a run and its weights: a layer less than alone, a run more than the layers say.
    assert profile.fit.candidates_mape_percent["scaled sum + layers + runs"] < 0.5
    assert profile.latency.value_us(rows) == pytest.approx(taken, rel=0.005)
    assert load_profile(tmp_path / "p.jsonl").latency.value_us(rows) == pytest.approx(profile.latency.value_us(rows))


def test_a_profile_predicts_another_number_of_steps(profile_of, request_for, tmp_path, pairs):
    more = replace(request_for(), space="pairs:steps=17")
    truth = build_profile(more, tmp_path / "more.jsonl")
    fewer = build_profile(replace(more, space="pairs:steps=3"), tmp_path / "fewer.jsonl")
    model = model_for_space([profile_of(), fewer], "pairs:steps=17")
    rows = [network.indices for network in truth.networks]
    taken = [measurement.value_us for measurement in truth.network_measurements]
    assert any("runs" in name for name in model.report.candidates_mape_percent)
    assert model.value_us(rows) == pytest.approx(taken, rel=0.005)
    assert np.all(model.predict(rows).low_us < taken)


def test_a_network_that_is_one_model_knows_no_runs(tiny, quick_policy, tmp_path):
    profile = build_profile(ProfileRequest("tiny", "fake", networks=12, policy=quick_policy), tmp_path / "p.jsonl")
    assert not any("runs" in name for name in profile.fit.candidates_mape_percent)


def test_sums_count_a_layer_as_often_as_its_part_runs(pairs):
    rows = networks_for(pairs, 12, np.random.default_rng(0))
    assert len(np.unique(rows, axis=0)) == 12
    for row, sums in zip(rows, physical_sums(pairs)(rows)):
        layers = pairs.layers(pairs.architecture(row))
        assert sums == pytest.approx([math.log(sum(map(value_of, layers))) for value_of in PHYSICAL.values()])


def test_an_explanation_shows_a_repeated_layer_once_and_counts_it_as_often(profile_of, pairs):
    profile = profile_of()
    found = explain(profile, pairs.architecture([1, 1, 1, 1]))
    assert [layer.slot for layer in found.layers] == [slot.name for slot in pairs.slots]
    assert [layer.runs for layer in found.layers] == [1] * 4 + [STEPS] * 4
    assert found.runs == 4 + 4 * STEPS
    assert sum(layer.contribution_us for layer in found.layers) + found.unassigned_us == pytest.approx(found.value_us)
    recur = found.layers[5]
    assert recur.isolated_us == profile.table.value_us(recur.spec)
    assert recur.contribution_us == pytest.approx(STEPS * profile.latency.contribution_us(recur.spec))
    alone = sum(profile.table.value_us(spec) for spec in pairs.layers(found.architecture))
    assert found.isolated_us == pytest.approx(alone)
    assert sum(group.macs for group in found.kinds) == pairs.macs([found.architecture.indices])[0]
    assert sum(group.isolated_us for group in found.stages) == pytest.approx(found.isolated_us)


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_a_real_runtime_times_explains_and_verifies_two_parts(measured, pairs, backend):
    pytest.importorskip(backend)
    profile = measured("pairs", backend, networks=16)
    assert len(profile.networks) == 16
    assert not profile.table.failures
    smallest, largest = (pairs.architecture([option] * 4) for option in (0, 1))
    parts = models_from_architecture(pairs, largest)
    assert measure_model(profile, timed_model(parts)).measurement.value_us > 0
    assert (profile.latency.value_us([smallest.indices, largest.indices]) > 0).all()
    report = explain_operators(profile, largest)
    assert [found.layer.slot for found in report.layers] == [slot.name for slot in pairs.slots]
    assert report.measured_us > 0
    assert report.inference_us > 0
    assert sum(found.profiled_us for found in report.layers) > report.unexplained_us


def test_the_lint_finds_nothing_wrong_with_two_parts(pairs, measured):
    findings = lint_profile(measured("pairs", "onnxruntime", networks=16))
    assert [finding for finding in findings if finding.severity == "error"] == []


def test_gnomon_predict_explains_two_parts(profile_of, capsys, tmp_path):
    from gnomon.cli.main import run

    profile_of()
    assert run(["predict", str(tmp_path / "p.jsonl"), "--arch", "largest", "--explain"]) == 0
    printed = capsys.readouterr().out
    assert "pairs_recur 1x8 > 1x8 hidden 64 x 6" in printed
    assert "the sum of 28 layers" in printed


def test_gnomon_predict_says_what_of_a_program_is_not_profiled(pairs, measured, capsys, tmp_path):
    from gnomon.cli.main import run

    pytest.importorskip("onnxruntime")
    measured("pairs", "onnxruntime", networks=16)
    assert run(["predict", str(tmp_path / "p.jsonl"), "--arch", "smallest", "--operators"]) == 0
    assert "handing values from run to run, which was measured too, is not profiled" in capsys.readouterr().out
