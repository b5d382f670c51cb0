"""What is asked of a device before anything is copied to it, and what stands in the way: one clear error each."""

import base64
import hashlib
import io
import os
import subprocess
import sys
import time

import pytest

from gnomon.profilers import (
    BackendUnavailable,
    DeviceUnfit,
    DeviceUnreachable,
    PlannedModel,
    ProfilerError,
    RunConfig,
    TimingPolicy,
    UnknownBackend,
    fingerprint,
    load_backend,
    read_results,
    write_plan,
)
from gnomon.profilers.errors import RuntimeTooOld
from gnomon.profilers.testing import affine_model
from gnomon.profilers.transports.ssh import line
from gnomon.profilers.transports.ssh.bootstrap import UNUSED_S
from gnomon.profilers.transports.ssh.remote import script

pytestmark = pytest.mark.slow  # each starts a process on the device at every login

OLD_RUNTIME = "__version__ = '1.9.0'\nset_default_logger_severity = disable_telemetry_events = lambda *words: None\n"


def refusal(board, kind, address=None, backend="onnxruntime"):
    """Return why the device refuses, after checking that nothing of a plan came to it."""
    with board.open(address) as device, pytest.raises(kind) as caught:
        device.require(backend)
    assert not board.plans.exists()
    return str(caught.value)


def test_a_device_says_what_it_is(board):
    with board.open() as device:
        assert device.hardware() == fingerprint()


def test_a_runtime_runs_a_plan_there(board, tmp_path):
    pytest.importorskip("onnxruntime")
    policy = TimingPolicy(block_us=500, min_passes=1, max_passes=1)
    models = [PlannedModel("good", "layer", affine_model()), PlannedModel("broken", "layer", b"this is not ONNX")]
    write_plan(tmp_path / "plan", backend="onnxruntime", config=RunConfig(), policy=policy, models=models)
    with board.open() as device:
        device.require("onnxruntime")
        device.run(tmp_path / "plan", tmp_path / "results.jsonl")
    found = read_results(tmp_path / "results.jsonl")
    assert set(found.measurements) == {"good"}
    assert [failure.key for failure in found.failures] == ["broken"]
    assert found.sessions[0].hardware == fingerprint()
    assert found.sessions[0].versions["onnxruntime"] == load_backend("onnxruntime").version()


def test_a_greeting_of_the_login_shell_is_passed_over(board):
    board.be("echo 'Welcome!'; echo '{\"a\": 1}'; echo '[]'")
    with board.open() as device:
        device.require("onnxruntime")


def test_what_a_device_says_is_shown_and_not_obeyed(board):
    board.be("""echo '{"event": "error", "error": "SystemExit", "message": "\\u001b[2Jgone"}'; exit""")
    told = refusal(board, ProfilerError)
    assert told == "On the device (ssh board): [2Jgone"


def test_only_one_connection_asks_for_a_login_and_the_users_precautions_stand(board):
    before = board.server.logins()
    with board.open() as device:
        device.hardware()
        device.require("onnxruntime")
    assert board.server.logins() == before + 1
    assert len(board.shown) > 3
    for command in board.shown:
        assert "StrictHostKeyChecking" not in command
        assert "KnownHosts" not in command
        assert "BatchMode=yes" in command  # no terminal here, so nothing may ask


def test_a_host_whose_key_is_unknown_is_refused(board):
    board.configure(UserKnownHostsFile="/dev/null")
    assert "its host key is not known. Connect once by hand" in refusal(board, DeviceUnreachable)


def test_a_host_whose_key_has_changed_is_refused(board):
    known = board.folder / "known_hosts"
    stranger = (board.server.folder / "stranger.pub").read_text()
    known.write_text(f"[127.0.0.1]:{board.server.port} {stranger}")
    board.configure(UserKnownHostsFile=known)
    assert "not the one known for it" in refusal(board, DeviceUnreachable)


def test_a_login_that_is_not_accepted_is_told(board):
    board.configure(IdentityFile=board.server.folder / "stranger")
    assert "did not accept the login. Install a key with ssh-copy-id" in refusal(board, DeviceUnreachable)


def test_a_host_that_does_not_listen_or_exist_is_told(board):
    board.configure(Port=1)
    assert "no SSH server listens there" in refusal(board, DeviceUnreachable)
    assert "its name is unknown" in refusal(board, DeviceUnreachable, "ssh://no-such-host.invalid")


def test_a_missing_client_is_told(board, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt install openssh-client" in refusal(board, DeviceUnreachable)


def test_a_device_without_python_is_told(board):
    told = refusal(board, DeviceUnfit, "ssh://board?python=/no/such/python")
    assert "has no /no/such/python that answers" in told
    assert "?python=/path/to/python3" in told


def test_a_python_that_is_too_old_is_told_with_both_versions(board):
    board.be("case $1 in -c) echo gnomon-python-3.6.; exit;; *) exit 1;; esac")
    assert "is Python 3.6; the worker takes 3.8 or newer" in refusal(board, DeviceUnfit)


def test_a_device_without_numpy_is_told_how_to_install_it_there(board):
    board.be(options="-S")
    told = refusal(board, DeviceUnfit)
    assert "No module named 'numpy'" in told
    assert "ssh board '" in told
    assert "-m pip install numpy" in told


def test_a_device_without_the_runtime_is_told_how_to_install_it_there(board):
    (board.folder / "onnxruntime.py").write_text("raise ImportError('libgomp is missing')\n")
    board.be(f"export PYTHONPATH={board.folder}")
    told = refusal(board, BackendUnavailable)
    assert told.startswith("On the device (ssh board): ")
    assert "libgomp is missing" in told
    assert 'python3 -m pip install --upgrade "onnxruntime>=' in told


def test_a_runtime_that_is_too_old_is_refused_with_both_versions(board):
    (board.folder / "onnxruntime.py").write_text(OLD_RUNTIME)
    board.be(f"export PYTHONPATH={board.folder}")
    told = refusal(board, RuntimeTooOld)
    assert "1.9.0" in told
    assert "1.12" in told


def test_a_backend_that_is_not_there_is_told(board):
    told = refusal(board, UnknownBackend, backend="nvidia")
    assert told.startswith("On the device (ssh board): No backend is called 'nvidia'")


def test_a_device_that_cannot_keep_the_worker_is_told(board):
    (board.folder / "home" / ".cache").write_text("in the way")
    assert "cannot be stored there" in refusal(board, DeviceUnfit)


def test_what_a_killed_upload_left_is_removed_by_the_next_and_not_before(board):
    kept = board.folder / "home" / ".cache" / "gnomon"
    kept.mkdir(parents=True)
    upload = script(f"with replacing({str(kept / 'worker-0.pyz')!r}):\n    print('begun', flush=True)\n    input()")
    process = subprocess.Popen([sys.executable, "-c", upload], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"begun\n"
    (left,) = kept.iterdir()
    with board.open() as device:
        device.hardware()
    assert left in kept.iterdir()
    process.kill()
    process.communicate()
    with board.open() as device:
        device.hardware()
    (worker,) = kept.iterdir()
    assert worker.name.startswith("worker-")


def test_a_new_worker_removes_those_that_nobody_asked_for_in_a_long_time(tmp_path):
    kept, content = tmp_path / ".cache" / "gnomon", b"a worker"
    kept.mkdir(parents=True)
    unused, in_use = kept / "worker-0123456789abcdef.pyz", kept / "worker-fedcba9876543210.pyz"
    torn, of_others = kept / f"{unused.name}.42.part", kept / "settings"
    for path in (unused, in_use, torn, of_others):
        path.write_bytes(b"")
        os.utime(path, (0, time.time() - UNUSED_S * (0.9 if path == in_use else 1.1)))
    digest = hashlib.sha256(content).hexdigest()

    def asked(call):
        command = [sys.executable, "-c", script(call)]
        return subprocess.run(command, env={**os.environ, "HOME": str(tmp_path)}, check=True, capture_output=True)

    asked(f"keep({digest!r}, {base64.b64encode(content).decode()!r})")
    (worker,) = {*kept.iterdir()} - {in_use, of_others}
    assert worker.read_bytes() == content
    os.utime(worker, (0, 0))
    asked(f"look({digest!r})")
    assert time.time() - worker.stat().st_mtime < UNUSED_S


def test_half_a_file_is_not_taken_for_a_whole_one(tmp_path):
    name = f"models/{'0' * 64}.onnx"
    for sent, told in [
        (f'[["{name}", 9]]\nhalf', "ended after 4 of 9 bytes"),
        ('[["../x", 1]]\nx', "no file of a plan"),
    ]:
        ended = subprocess.run(
            [sys.executable, "-m", "gnomon.profilers.transports.ssh.device_end", "receive", "0" * 64],
            input=sent.encode(),
            env={**os.environ, "HOME": str(tmp_path)},
            capture_output=True,
        )
        assert ended.returncode == 3
        assert told in ended.stdout.decode()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("has_terminal", "foreground", "may_ask"), [(True, 7, True), (True, 8, False), (False, 7, False)]
)
def test_ssh_may_ask_only_on_a_terminal_in_the_foreground(has_terminal, foreground, may_ask, monkeypatch):
    class Input(io.StringIO):
        isatty = staticmethod(lambda: has_terminal)
        fileno = staticmethod(lambda: 0)

    monkeypatch.setattr(sys, "stdin", Input())
    monkeypatch.setattr(line.os, "tcgetpgrp", lambda descriptor: foreground)
    monkeypatch.setattr(line.os, "getpgrp", lambda: 7)
    assert line.can_ask() is may_ask
