"""A saved profile, timed again on scripted devices: as fast as then, slower as a whole, or slower in places."""

import hashlib
import importlib
import shutil
from dataclasses import replace

import numpy as np
import pytest

from gnomon.lut import (
    ProfileMismatch,
    ProfileRequest,
    build_profile,
    load_profile,
    refresh_profile,
    shipped_profiles,
)
from gnomon.lut.analysis import refresh
from gnomon.lut.analysis.refresh import sample_of
from gnomon.lut.measuring.networks import layer_model
from gnomon.outputs import OutputUnusable
from gnomon.profilers import RunConfig, TimingPolicy, fingerprint
from gnomon.profilers.testing import FakeBackend
from gnomon.profilers.worker import worker

pytestmark = pytest.mark.slow


class ScriptedDevice:
    """This machine as a device whose models take `factor_of(model)` times what they took; each run is a process."""

    def __init__(self, factor_of=lambda model: 1.0, version="1.0", hardware=None, shifts=(1.0, 1.0, 1.0)):
        self.factor_of, self.version, self.machine = factor_of, version, hardware or fingerprint()
        self.shifts, self.runs = shifts, 0

    def require(self, backend):
        assert backend == "fake"

    def hardware(self):
        return self.machine

    def run(self, plan, results, *, on_progress=None):
        script, shift = importlib.import_module("tiny_backend").script, self.shifts[self.runs]
        self.runs += 1
        backend = FakeBackend(lambda model: [us * shift * self.factor_of(model) for us in script(model)])
        versions = backend.versions()
        backend.versions = lambda: versions | {"fake": self.version}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(worker, "load_backend", lambda name: backend)
            assert worker.run_plan(plan, results, is_stopped=lambda: False, report=lambda record: None)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Return where a profile of the fake is, once a test has made it."""
    return tmp_path_factory.mktemp("kept") / "p.jsonl"


@pytest.fixture
def profile(kept, tmp_path, tiny):
    if not kept.exists():
        policy = TimingPolicy(block_us=200, warmup_us=200, blocks_per_visit=3, min_passes=4, max_passes=4)
        build_profile(ProfileRequest("tiny", "fake", RunConfig(), networks=12, policy=policy), kept)
    return shutil.copy(kept, tmp_path / "p.jsonl")


def kind_of(tiny):
    """Return a function from a layer's model to its kind; "" for a whole network."""
    models = {layer_model(spec, RunConfig()): spec.kind for spec in tiny.unique_layers()}
    kinds = {hashlib.sha256(model).hexdigest(): kind for model, kind in models.items()}
    return lambda model: kinds.get(hashlib.sha256(model).hexdigest(), "")


def rows(profile):
    return np.array([network.indices for network in profile.networks])


def test_a_profile_holds_on_a_device_that_did_not_move_and_nothing_is_written(profile, tmp_path):
    found = refresh_profile(profile, tmp_path / "new.jsonl", device=ScriptedDevice())
    assert (found.validity.answer, found.validity.ratio, found.path) == ("holds", 1.0, None)
    assert found.validity.low < 1 < found.validity.high
    assert found.profile.digest == load_profile(profile).digest
    assert not (tmp_path / "new.jsonl").exists()


def test_a_device_that_is_slower_as_a_whole_has_its_profile_rescaled(profile, tmp_path):
    device = ScriptedDevice(lambda model: 1.07, shifts=(0.995, 1.0, 1.005))
    found = refresh_profile(profile, tmp_path / "new.jsonl", device=device)
    assert found.validity.answer == "moved"
    old, new = load_profile(profile), load_profile(tmp_path / "new.jsonl")
    refreshed = new.header.refreshed
    assert (refreshed.name, refreshed.sha256, refreshed.processes) == (old.name, old.digest, 3)
    assert refreshed.low < 1.07 < refreshed.high
    assert refreshed.factor == pytest.approx(1.07, rel=1e-3)
    before, after = old.latency.predict(rows(old)), new.latency.predict(rows(new))
    assert after.value_us == pytest.approx(before.value_us * refreshed.factor, rel=1e-4)
    assert (after.log_ratio > before.log_ratio).all()
    assert new.latency.report.interval_ratio > old.latency.report.interval_ratio
    assert new.anchors[0].value_us == pytest.approx(old.anchors[0].value_us * refreshed.factor)
    assert new.networks == old.networks  # as measured
    assert "rescaled by x1.07" in str(new)
    assert old.header.refreshed is None


def test_a_refreshed_profile_is_refreshed_from_where_it_is(profile, tmp_path):
    refresh_profile(profile, tmp_path / "slow.jsonl", device=ScriptedDevice(lambda model: 1.07))
    again = refresh_profile(tmp_path / "slow.jsonl", tmp_path / "x.jsonl", device=ScriptedDevice(lambda model: 1.07))
    assert again.validity.answer == "holds"
    back = refresh_profile(tmp_path / "slow.jsonl", tmp_path / "back.jsonl", device=ScriptedDevice())
    assert back.validity.ratio == pytest.approx(1 / 1.07, rel=1e-3)
    assert back.profile.header.refreshed.factor == pytest.approx(1.0, rel=1e-3)
    assert back.profile.header.refreshed.name == "slow"


def test_where_one_kind_of_layer_became_slower_it_is_named_and_nothing_is_written(profile, tmp_path, tiny):
    kind = kind_of(tiny)
    slower = {"mbconv": 1.1, "": 1.05}
    device = ScriptedDevice(lambda model: slower.get(kind(model), 1.0))
    found = refresh_profile(profile, tmp_path / "new.jsonl", device=device)
    assert (found.validity.answer, found.profile, found.path) == ("changed", None, None)
    assert "moved by themselves" in found.validity.sentence
    assert not (tmp_path / "new.jsonl").exists()


def test_another_runtime_or_machine_is_refused_field_by_field(profile, tmp_path):
    with pytest.raises(ProfileMismatch, match=r"versions.fake: profile '1.0', here '2.0'.*profile anew") as raised:
        refresh_profile(profile, tmp_path / "new.jsonl", device=ScriptedDevice(version="2.0"))
    assert raised.value.fields == ("versions.fake",)
    device = ScriptedDevice(hardware=replace(fingerprint(), cpus=999))
    with pytest.raises(ProfileMismatch, match=r"cpus: profile .*, here 999") as raised:
        refresh_profile(profile, tmp_path / "new.jsonl", device=device)
    assert "cpus" in raised.value.fields
    assert device.runs == 0


def test_nothing_is_overwritten_without_force_and_that_is_said_before_anything_is_timed(profile, tmp_path):
    device = ScriptedDevice(lambda model: 1.07)
    refresh_profile(profile, tmp_path / "new.jsonl", device=device)
    device = ScriptedDevice(lambda model: 1.2)
    with pytest.raises(OutputUnusable, match="force=True"):
        refresh_profile(profile, tmp_path / "new.jsonl", device=device)
    assert device.runs == 0
    found = refresh_profile(profile, tmp_path / "new.jsonl", device=device, force=True)
    assert found.profile.header.refreshed.factor == pytest.approx(1.2, rel=1e-3)
    with pytest.raises(OutputUnusable):
        refresh_profile(profile, profile, device=device)


def test_models_of_every_kind_from_quick_to_slow_are_timed_again():
    profile = load_profile(next(name for name in shipped_profiles() if name.startswith("ofa_mobilenetv3/")))
    sampled = sample_of(profile)
    assert len(sampled) == 24
    groups = {model.group for model in sampled}
    assert groups >= {"layers of kind mbconv", "layers of kind stem", "whole networks"}
    networks = [model.then.value_us for model in sampled if model.indices]
    measured = [found.value_us for found in profile.network_measurements]
    assert (min(networks), max(networks)) == (min(measured), max(measured))


def test_a_real_runtime_says_whether_its_profile_holds(measured, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(
        refresh, "POLICY", TimingPolicy(min_passes=2, clean_blocks=2, processes=1, network_visits=1, time_cap_s=2.0)
    )
    measured("tiny", "onnxruntime")
    found = refresh_profile(tmp_path / "p.jsonl", tmp_path / "new.jsonl")
    validity = found.validity
    assert validity.low < validity.ratio < validity.high
    assert (validity.processes, len(validity.models)) == (3, len({model.key for model in validity.models}))
    assert (found.path is not None) == (validity.answer == "moved") == (tmp_path / "new.jsonl").exists()
