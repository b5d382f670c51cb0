"""The whole journey: `gnomon profile --device ssh://...`."""

from dataclasses import replace

import pytest

import gnomon
from gnomon.cli.main import run
from gnomon.lut import LutError, ProfileMismatch, application_with, measure_model, reason_not_here
from gnomon.lut.analysis import refresh
from gnomon.profilers import TimingPolicy, fingerprint
from gnomon.supernets.graph import graph_from_layers


@pytest.fixture
def other_board(board):
    """The device, taken for one of 64 processors."""
    (board.folder / "sitecustomize.py").write_text("import os\nos.cpu_count = lambda: 64\n")
    board.be(f"export PYTHONPATH={board.folder}")
    return board


@pytest.mark.slow
def test_a_profile_says_where_it_was_measured(other_board, tiny, tmp_path, monkeypatch, quick_policy):
    pytest.importorskip("onnxruntime")
    monkeypatch.chdir(tmp_path)
    events = []
    with other_board.open() as device:
        made = gnomon.profile(
            "tiny", "onnxruntime", networks=10, policy=quick_policy, device=device, on_progress=events.append
        )
    slug = fingerprint().slug.rpartition("-")[0] + "-64c"
    assert (tmp_path / f"{slug}.onnxruntime.fp32.b1.t1.jsonl").exists()
    assert made.header.device == slug
    assert made.header.hardware["cpus"] == 64
    assert set(made.table.measurements) == {spec.key for spec in tiny.unique_layers()}
    assert len(events) > 1
    assert list(tmp_path.glob("*.building")) == []


@pytest.mark.slow
def test_a_profile_is_refreshed_where_it_was_measured(board, other_board, measured, tiny, tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr(refresh, "POLICY", TimingPolicy(min_passes=2, max_passes=2, clean_blocks=1, time_cap_s=2.0))
    monkeypatch.setattr(refresh, "PROCESSES", 1)
    measured("tiny", "onnxruntime")
    with other_board.open() as device, pytest.raises(ProfileMismatch, match="here 64"):
        gnomon.refresh(tmp_path / "p.jsonl", out=tmp_path / "new.jsonl", device=device)
    board.be()
    with board.open() as device:
        found = gnomon.refresh(tmp_path / "p.jsonl", out=tmp_path / "new.jsonl", device=device)
    assert found.validity.processes == 1
    assert found.validity.low < found.validity.ratio < found.validity.high


@pytest.mark.slow
def test_a_network_is_timed_as_an_application_sees_it_where_it_was_profiled(board, measured, tiny):
    pytest.importorskip("onnxruntime")
    profile = measured("tiny", "onnxruntime")
    model = graph_from_layers(tiny.layers(tiny.architecture([0, 0, 0])))
    with board.open() as device:
        found = measure_model(profile, model, application=application_with(2.0), device=device)
        assert reason_not_here(profile, device) == ""
        other = profile.header.model_copy(update={"versions": {"onnxruntime": "0.1"}})
        with pytest.raises(LutError, match=r"another runtime \(onnxruntime: profile 0.1, device "):
            measure_model(replace(profile, header=other), model, device=device)
    assert found.measurement.value_us > 0
    assert found.seen.paced.visits >= 5
    assert len(found.seen.first_us) == len(found.seen.load_ms) == found.seen.paced.visits


def test_a_device_that_cannot_be_reached_is_exit_code_5(board, capsys, tmp_path):
    board.configure(Port=1)
    assert run(["profile", "--device", board.address, "--out", str(tmp_path / "p.jsonl"), "-v"]) == 5
    told = capsys.readouterr().err
    assert "error: ssh://board cannot be reached: no SSH server listens there" in told
    assert "ControlMaster=yes -o BatchMode=yes -- board 'echo " in told
    assert not list(tmp_path.glob("p.jsonl*"))


def test_a_device_that_lacks_something_is_exit_code_3_and_no_address_is_2(board, capsys):
    assert run(["profile", "--device", "ssh://board?python=/no/such/python"]) == 3
    assert "has no /no/such/python" in capsys.readouterr().err
    assert run(["profile", "--device", "ssh://-oProxyCommand=reboot"]) == 2
    assert "is no address of a device" in capsys.readouterr().err
