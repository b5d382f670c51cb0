import errno
import json
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from filelock import FileLock

from gnomon.lut import (
    OutputExists,
    OutputUnwritable,
    ProfileMismatch,
    ProfileRequest,
    build_profile,
    is_this_device,
    load_profile,
    measure_model,
)
from gnomon.lut import store as store_module
from gnomon.profilers.errors import BackendUnavailable
from gnomon.profilers.journal import read_journal
from gnomon.supernets import UnknownSpace
from gnomon.supernets.graph import graph_from_layers

SCRIPT = """
import sys
from pathlib import Path
from gnomon.lut import ProfileRequest, build_profile
from gnomon.profilers.timing import TimingPolicy
policy = TimingPolicy(block_us=200, warmup_blocks=1, blocks_per_visit=3, min_passes=2, max_passes=2)
build_profile(ProfileRequest("tiny", "onnxruntime", networks=12, policy=policy), Path(sys.argv[1]))
"""


@pytest.fixture
def request_(tiny, quick_policy):
    return ProfileRequest("tiny", "onnxruntime", networks=12, policy=quick_policy)


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_a_profile_is_measured_verified_and_reads_back(request_, tiny, backend, tmp_path):
    out = tmp_path / "deep" / "p.jsonl"
    events = []
    profile = build_profile(replace(request_, backend=backend), out, on_progress=events.append)
    assert set(profile.table.measurements) == {spec.key for spec in tiny.unique_layers()}
    assert len(profile.networks) == 12
    assert profile.fit.networks == 12
    assert profile.header.versions[backend]
    assert profile.header.options["threads"] == 1
    assert events[-1]["done"] <= events[-1]["total"]
    assert load_profile(out) == profile
    assert [path.name for path in out.parent.iterdir()] == ["p.jsonl"]


def test_a_model_can_be_timed_under_the_profiles_conditions(request_, tiny, tmp_path):
    profile = build_profile(request_, tmp_path / "p.jsonl")
    assert is_this_device(profile)
    remeasured = measure_model(profile, graph_from_layers(tiny.layers(tiny.architecture([0, 0, 0]))))
    assert remeasured.measurement.value_us > 0
    assert remeasured.anchor_ratio > 0


def test_an_existing_output_is_kept_unless_forced(request_, tmp_path):
    out = tmp_path / "p.jsonl"
    out.write_text("precious")
    with pytest.raises(OutputExists, match="--force"):
        build_profile(request_, out)
    assert out.read_text() == "precious"
    assert build_profile(request_, out, force=True).fit.networks == 12


@pytest.mark.parametrize("after_s", [0.8, 1.6, 2.4])
def test_a_killed_run_goes_on_and_repeats_nothing(tiny, tmp_path, after_s):
    out = tmp_path / "p.jsonl"
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(out)])
    time.sleep(after_s)
    process.send_signal(signal.SIGKILL)
    process.wait()
    results = tmp_path / "p.jsonl.building" / "results.jsonl"
    for _ in range(100):  # the worker ends when its parent is gone; its lock must be free
        if not results.exists() or not still_growing(results):
            break
    before = visits(results)
    subprocess.run([sys.executable, "-c", SCRIPT, str(out)], check=True)
    profile = load_profile(out)
    assert profile.fit.networks == 12
    assert all(len(m.block_us) == 2 for m in profile.table.measurements.values())
    assert not (tmp_path / "p.jsonl.building").exists()
    kept = {json.dumps(blocks) for _, blocks in before}
    stored = {json.dumps(list(visit)) for m in profile.table.measurements.values() for visit in m.block_us}
    stored |= {json.dumps(list(visit)) for network in profile.networks for visit in network.block_us}
    assert kept <= stored


def still_growing(path):
    size = path.stat().st_size
    time.sleep(0.3)
    return path.stat().st_size != size


def visits(path):
    if not path.exists():
        return []
    records, _ = read_journal(path)
    return [(r["key"], r["block_us"]) for r in records if r["record"] == "visit" and r["role"] != "anchor"]


def test_another_request_does_not_continue_an_interrupted_run(request_, tmp_path):
    def stop(event):
        raise KeyboardInterrupt

    out = tmp_path / "p.jsonl"
    with pytest.raises(KeyboardInterrupt):
        build_profile(request_, out, on_progress=stop)
    results = tmp_path / "p.jsonl.building" / "results.jsonl"
    before = results.read_bytes()
    with pytest.raises(ProfileMismatch, match="another request"):
        build_profile(replace(request_, networks=11), out)
    assert results.read_bytes() == before
    assert build_profile(request_, out).fit.networks == 12


def test_another_runtime_version_does_not_continue_an_interrupted_run(request_, tmp_path):
    def stop(event):
        raise KeyboardInterrupt

    out = tmp_path / "p.jsonl"
    with pytest.raises(KeyboardInterrupt):
        build_profile(request_, out, on_progress=stop)
    results = tmp_path / "p.jsonl.building" / "results.jsonl"
    version = json.loads(next(line for line in results.read_text().splitlines() if '"session"' in line))
    old = json.dumps(version["versions"]["onnxruntime"])
    results.write_text(results.read_text().replace(f'"onnxruntime":{old}', '"onnxruntime":"0.9"'))
    with pytest.raises(ProfileMismatch) as raised:
        build_profile(request_, out)
    assert raised.value.fields == ("versions.onnxruntime",)
    assert not out.exists()


@pytest.mark.parametrize("folder", ["file/below", "/proc/gnomon"])
def test_an_unwritable_folder_is_said(request_, tmp_path, folder):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputUnwritable, match="cannot write"):
        build_profile(request_, tmp_path / folder / "p.jsonl")


def test_a_full_disk_keeps_what_was_measured(request_, tmp_path, monkeypatch):
    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    out = tmp_path / "p.jsonl"
    with monkeypatch.context() as patched:
        patched.setattr(store_module, "write_atomically", full)
        with pytest.raises(OutputUnwritable, match="No space left"):
            build_profile(request_, out)
    measured = visits(tmp_path / "p.jsonl.building" / "results.jsonl")
    profile = build_profile(request_, out)
    assert sum(len(m.block_us) for m in profile.table.measurements.values()) + 24 == len(measured)


def test_two_processes_do_not_measure_the_same_output(request_, tmp_path):
    (tmp_path / "p.jsonl.building").mkdir()
    with FileLock(tmp_path / "p.jsonl.building" / "lock"), pytest.raises(OutputUnwritable, match="another process"):
        build_profile(request_, tmp_path / "p.jsonl")


def test_nothing_is_written_for_an_unknown_space_or_absent_runtime(request_, tmp_path, monkeypatch):
    with pytest.raises(UnknownSpace):
        build_profile(replace(request_, space="tinny"), tmp_path / "p.jsonl")
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(BackendUnavailable, match="pip install"):
        build_profile(replace(request_, backend="openvino"), tmp_path / "p.jsonl")
    assert list(tmp_path.iterdir()) == []
