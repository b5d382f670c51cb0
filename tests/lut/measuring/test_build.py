"""Whole runs of small profiles: on the real runtimes end to end, on a scripted one where they are interrupted."""

import errno
import hashlib
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace

import pytest
from filelock import FileLock

from gnomon import outputs
from gnomon.lut import (
    LatencyMissing,
    LutError,
    ProfileMismatch,
    ProfileRequest,
    build_profile,
    check_profile,
    load_profile,
)
from gnomon.lut.measuring import build as build_module
from gnomon.lut.measuring import building as building_module
from gnomon.outputs import OutputUnusable
from gnomon.profilers.errors import (
    BackendUnavailable,
    EnvironmentChanged,
    ResultsLocked,
    ResultsUnwritable,
    UnsupportedConfig,
)
from gnomon.profilers.results.parsing import read_results
from gnomon.profilers.testing import sign_journal
from gnomon.profilers.worker.lock import locked
from gnomon.supernets import UnknownSpace
from gnomon.supernets.graph import graph_from_layers

pytestmark = pytest.mark.slow

SCRIPT = """
import sys
from pathlib import Path
from gnomon.lut import ProfileRequest, build_profile
from gnomon.profilers.timing.protocol import TimingPolicy
policy = TimingPolicy(
    block_us=200, warmup_us=200, blocks_per_visit=3, min_passes=2, max_passes=2, processes=1, network_visits=1
)
build_profile(ProfileRequest("tiny", "fake", networks=12, policy=policy), Path(sys.argv[1]))
"""
LAYERS, NETWORKS, PASSES = 6, 12, 2
DEADLINE_S = 60


@pytest.fixture
def request_(tiny, quick_policy):
    return ProfileRequest("tiny", "fake", networks=NETWORKS, policy=quick_policy)


def stop(event):
    raise KeyboardInterrupt


def interrupted(request, out):
    with pytest.raises(KeyboardInterrupt):
        build_profile(request, out, on_progress=stop)


def start(out):
    return subprocess.Popen([sys.executable, "-c", SCRIPT, str(out)], start_new_session=True)


def wait_until(is_so, what):
    deadline = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < deadline, f"waited {DEADLINE_S} s until {what}"
        time.sleep(0.005)


def wait_for_visits(journal, count):
    def is_so():
        return journal.exists() and journal.read_bytes().count(b'"record":"visit"') >= count

    wait_until(is_so, f"{count} visits were made")


def wait_for_orphan(journal):
    """Wait until the worker of a killed run has seen that its parent is gone."""

    def is_so():
        try:
            with locked(journal):
                return True
        except ResultsLocked:
            return False

    if journal.exists():
        wait_until(is_so, "the worker stopped")


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_a_profile_is_measured_verified_and_reads_back(request_, tiny, backend, tmp_path):
    pytest.importorskip(backend)
    out = tmp_path / "deep" / "p.jsonl"
    events = []
    policy = replace(request_.policy, processes=2)
    profile = build_profile(replace(request_, backend=backend, policy=policy), out, on_progress=events.append)
    assert set(profile.table.measurements) == {spec.key for spec in tiny.unique_layers()}
    assert len(profile.networks) == profile.fit.networks == NETWORKS
    assert profile.header.versions[backend]
    assert profile.header.options["threads"] == 1
    assert profile.header.sessions == 2  # one for each process
    assert events[-1]["done"] <= events[-1]["total"]
    assert load_profile(out) == profile
    assert profile.fit.mape_percent == pytest.approx(profile.latency.report.mape_percent, abs=1e-3)
    assert check_profile(profile, space="tiny", precision="fp32") == ()
    assert [path.name for path in out.parent.iterdir()] == ["p.jsonl"]


def test_equal_evidence_gives_an_equal_table(request_, tmp_path):
    first, second = (build_profile(request_, tmp_path / name) for name in ("a.jsonl", "b.jsonl"))
    assert first.table == second.table
    assert first.network_measurements == second.network_measurements
    assert first.fit == second.fit
    assert first.header.plan == second.header.plan


def test_an_existing_output_is_kept_unless_forced(request_, out):
    out.write_text("precious")
    for force in (False, True):
        with pytest.raises(OutputUnusable, match="is not a hardware profile that Gnomon wrote"):
            build_profile(request_, out, force=force)
    assert out.read_text() == "precious"
    assert [path.name for path in out.parent.iterdir()] == ["p.jsonl"]
    out.unlink()
    build_profile(request_, out)
    with pytest.raises(OutputUnusable, match="force=True"):
        build_profile(request_, out)
    assert build_profile(request_, out, force=True).fit.networks == NETWORKS


def test_a_killed_run_goes_on_and_measures_nothing_twice(request_, out, journal, monkeypatch, send):
    monkeypatch.setenv("FAKE_SLEEP_S", "0.04")
    kills = [(0, False), (1, True), (9, False), (25, True)]
    for visits, to_group in kills:
        process = start(out)
        wait_until(journal.parent.exists, "the run began")
        if visits:
            wait_for_visits(journal, visits)
        send(process, signal.SIGKILL, to_group=to_group)
        process.wait()
        wait_for_orphan(journal)
        assert not out.exists()
    kept = out.with_name("kept.jsonl")

    def remove(folder):
        shutil.copy(journal, kept)
        shutil.rmtree(folder)

    monkeypatch.setattr(building_module, "discard", remove)
    profile = build_profile(request_, out)
    found = read_results(kept)
    steps = Counter(visit.step for visit in found.visits if visit.step.slot >= 0)  # -1: an anchor on resuming
    assert set(steps.values()) == {1}
    assert len([visit for visit in found.visits if visit.role != "anchor"]) == PASSES * (LAYERS + NETWORKS)
    assert len(found.attempts) - len(found.visits) <= len(kills)
    assert found.failures == ()
    assert {m.visits for m in profile.table.measurements.values()} == {PASSES}
    assert {m.visits for m in profile.network_measurements} == {PASSES}
    assert profile.header.sessions == len(found.sessions)
    assert sorted(path.name for path in out.parent.iterdir()) == ["kept.jsonl", "p.jsonl"]


def test_options_are_stored_even_if_the_first_session_died_before_it_knew_them(request_, out, journal):
    interrupted(request_, out)
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(line for line in lines if '"record":"options"' not in line))
    profile = build_profile(request_, out)
    assert profile.header.sessions == 2
    assert profile.header.options == {"threads": 1, "precision": "fp32"}


def test_another_request_does_not_continue_an_interrupted_run(request_, out, journal):
    interrupted(request_, out)
    before = journal.read_bytes()
    with pytest.raises(ProfileMismatch, match="another request") as raised:
        build_profile(replace(request_, networks=11), out)
    assert raised.value.fields == ("plan",)
    assert journal.read_bytes() == before
    assert build_profile(request_, out).fit.networks == NETWORKS


def test_another_runtime_version_does_not_continue_an_interrupted_run(request_, out, journal):
    interrupted(request_, out)
    journal.write_text(journal.read_text().replace('"fake":"1.0"', '"fake":"0.9"'))
    sign_journal(journal)
    before = journal.read_bytes()
    with pytest.raises(EnvironmentChanged, match=r"versions\.fake was '0\.9' and is '1\.0'"):
        build_profile(request_, out)
    assert not out.exists()
    assert journal.read_bytes() == before


@pytest.mark.parametrize("folder", ["file/below", "/proc/gnomon"])
def test_an_unwritable_folder_is_said(request_, tmp_path, folder):
    if folder.startswith("/proc") and not sys.platform.startswith("linux"):
        pytest.skip("/proc is Linux's folder that even root cannot write to")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputUnusable, match="cannot write"):
        build_profile(request_, tmp_path / folder / "p.jsonl")


def test_a_name_the_file_system_cannot_hold_is_said(request_, tmp_path):
    with pytest.raises(OutputUnusable, match="cannot write"):
        build_profile(request_, tmp_path / ("p" * 300))


def test_a_disk_full_at_the_end_keeps_what_was_measured(request_, out, journal, monkeypatch):
    def full(path):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(outputs, "sync", full)
        with pytest.raises(OutputUnusable, match=r"No space left.*what was measured is kept"):
            build_profile(request_, out)
    assert read_results(journal).is_complete
    assert build_profile(request_, out).header.sessions == 1


@pytest.fixture
def small_disk(tmp_path):
    """A disk of one MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True
    )
    if not mounted or mounted.returncode:
        pytest.skip("a small disk is a tmpfs, and mounting one is not allowed here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.filterwarnings("default::gnomon.profilers.journal.TornLine")
def test_a_disk_full_in_the_middle_keeps_what_was_measured(request_, small_disk):
    out, filler = small_disk / "p.jsonl", small_disk / "filler"

    def fill(event):
        if not filler.exists():
            filler.write_bytes(b"x" * shutil.disk_usage(small_disk).free)

    with pytest.raises((OutputUnusable, ResultsUnwritable), match="No space left"):
        build_profile(request_, out, on_progress=fill)
    before = read_results(small_disk / "p.jsonl.building" / "results.jsonl")
    assert before.visits
    filler.unlink()
    profile = build_profile(request_, out)
    assert profile.header.sessions > 1
    assert {m.visits for m in profile.table.measurements.values()} == {PASSES}


def test_two_processes_do_not_measure_the_same_output(request_, out, journal, monkeypatch, send):
    monkeypatch.setenv("FAKE_SLEEP_S", "0.5")
    monkeypatch.setattr(building_module, "LOCK_WAIT_S", 0.1)
    first = start(out)
    wait_for_visits(journal, 1)
    with pytest.raises(OutputUnusable, match="another process is measuring"):
        build_profile(request_, out)
    send(first, signal.SIGINT)
    first.wait()
    monkeypatch.setenv("FAKE_SLEEP_S", "0")
    assert build_profile(request_, out).fit.networks == NETWORKS


def test_a_lock_held_elsewhere_measures_nothing(request_, out, journal, monkeypatch):
    monkeypatch.setattr(building_module, "LOCK_WAIT_S", 0.1)
    journal.parent.mkdir()
    with FileLock(journal.with_name("lock")), pytest.raises(OutputUnusable, match="another process"):
        build_profile(request_, out)
    assert not journal.exists()


def test_nothing_is_written_for_an_unknown_space_or_absent_runtime(request_, tmp_path, monkeypatch):
    with pytest.raises(UnknownSpace):
        build_profile(replace(request_, space="tinny"), tmp_path / "p.jsonl")
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(BackendUnavailable, match="pip install"):
        build_profile(replace(request_, backend="openvino"), tmp_path / "p.jsonl")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("networks", [9, 0, -1])
def test_too_few_networks_are_refused_before_anything_is_measured(request_, out, networks):
    with pytest.raises(LutError, match="it takes 10"):
        build_profile(replace(request_, networks=networks), out)
    assert list(out.parent.iterdir()) == []


def refuse(monkeypatch, *models):
    monkeypatch.setenv("FAKE_REFUSES", " ".join(hashlib.sha256(model).hexdigest() for model in models))


def test_a_network_that_fails_is_recorded_and_the_rest_is_verified(request_, tiny, out, monkeypatch):
    smallest = tiny.architecture([0, 0, 0])
    refuse(monkeypatch, graph_from_layers(tiny.layers(smallest)))
    profile = build_profile(request_, out)
    assert profile.fit.networks == NETWORKS - 1
    assert profile.table.failures == {"network:0,0,0": "ModelRejected: the fake does not like it"}
    assert profile.quality == "poor"
    assert "1 models could not be timed" in profile.quality_reason
    assert profile.latency.predict([[0, 0, 0]]).value_us > 0


@pytest.fixture
def wider(monkeypatch, tiny):
    """The space with a third kernel, so that enough networks do without any one layer."""
    from gnomon.supernets import Choice, LayerSpec, SearchSpace, Slot

    choices = (Choice("kernel", (3, 5, 7)), *tiny.choices[1:])

    def layer(position, kernel, expand, depth):
        if position > depth:
            return None
        block = dict(LayerSpec.from_key(tiny.slots[1].specs[0].key).attributes)
        return LayerSpec.of("mbconv", (8, 8, 8), **block | {"kernel": kernel, "mid_channels": 8 * expand})

    blocks = [
        Slot.tabulate(f"block{n}", choices, ["kernel", "expand", "depth"], lambda *v, n=n: layer(n, *v))
        for n in (1, 2, 3)
    ]
    space = SearchSpace("wider", "none", tiny.input_shape, choices, (tiny.slots[0], *blocks, tiny.slots[-1]))
    monkeypatch.setattr(build_module, "load_space", lambda name: space)
    monkeypatch.setattr("gnomon.lut.profile_file.profile.load_space", lambda name: space)
    return space


def test_a_layer_that_fails_is_recorded_and_only_networks_with_it_have_no_latency(request_, wider, out, monkeypatch):
    failing = wider.slots[1].spec([2, 1, 0])
    refuse(monkeypatch, graph_from_layers([failing]))
    profile = build_profile(replace(request_, networks=18), out)
    assert profile.table.failures[failing.key] == "ModelRejected: the fake does not like it"
    assert profile.quality == "poor"
    assert profile.fit.networks == len(profile.networks) == 15
    assert profile.latency.predict([[0, 0, 0], [2, 0, 2]]).value_us.min() > 0
    with pytest.raises(LatencyMissing, match="does not like it") as raised:
        profile.latency.predict([[0, 0, 0], [2, 1, 2]])
    assert raised.value.keys == (failing.key,)
    with pytest.raises(LatencyMissing, match="does not like it"):
        check_profile(profile)


def test_a_layer_that_every_network_needs_leaves_nothing_to_verify(request_, tiny, out, journal, monkeypatch):
    head = tiny.slots[-1].specs[0]
    refuse(monkeypatch, graph_from_layers([head]))
    with pytest.raises(LutError, match=r"first head\(.*does not like it.*0 whole networks remain"):
        build_profile(request_, out)
    assert not out.exists()
    assert read_results(journal).is_complete


def test_a_refused_configuration_leaves_nothing_behind(request_, out, monkeypatch):
    monkeypatch.setenv("FAKE_IS_UNABLE", "1")
    with pytest.raises(UnsupportedConfig):
        build_profile(request_, out)
    assert list(out.parent.iterdir()) == []


def test_a_configuration_refused_later_keeps_what_was_measured(request_, out, journal, monkeypatch):
    interrupted(request_, out)
    monkeypatch.setenv("FAKE_IS_UNABLE", "1")
    with pytest.raises(UnsupportedConfig):
        build_profile(request_, out)
    assert read_results(journal).visits
    monkeypatch.delenv("FAKE_IS_UNABLE")
    assert build_profile(request_, out).fit.networks == NETWORKS


def test_requests_differ_by_file_name_where_profiles_would(request_):
    name = request_.file_name("pi5")
    assert name.endswith(".fake.fp32.b1.t1.jsonl")
    config = replace(request_.config, precision="int8", batch=4, threads=2)
    assert replace(request_, backend="runtime:way").file_name("pi5") == "pi5.runtime-way.fp32.b1.t1.jsonl"
    assert replace(request_, config=config).file_name("pi5").endswith(".fake.int8.b4.t2.jsonl")
