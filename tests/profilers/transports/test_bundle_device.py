"""The worker's zip application as a device runs it: a folder, a runtime, and no Gnomon."""

import json
import re
import signal
import subprocess
import sys
import time

import pytest

from gnomon.profilers import PlannedModel, RunConfig, TimingPolicy, read_results, write_plan
from gnomon.profilers.testing import affine_model
from gnomon.profilers.transports.bundle import unpack_bundle, write_bundle
from gnomon.profilers.transports.bundle_device import ProgressLine, left

pytestmark = pytest.mark.slow

RUNTIME = '''
import json, os, time

class Board:
    """A runtime whose models are JSON: sleep_s (to load), die (a signal)."""

    name, device, install_command = "board", "cpu", "none"

    def version(self):
        return "1.0"

    def versions(self):
        return {"board": "1.0"}

    def load(self, model, config):
        return Loaded(json.loads(model))

class Loaded:
    input_shapes, inputs, options, idles_quietly = {}, {}, {"threads": 1, "precision": "fp32"}, True

    def __init__(self, wish):
        time.sleep(wish.get("sleep_s", 0))
        if "die" in wish:
            os.kill(os.getpid(), wish["die"])

    def elapsed_ns(self, loops):
        return loops * 100_000

    def close(self):
        pass
'''
QUICK = TimingPolicy(
    block_us=500, blocks_per_visit=3, min_passes=2, max_passes=2, keep_mib=0, processes=1, network_visits=1
)


@pytest.fixture
def board(tmp_path, monkeypatch):
    """A place where Gnomon is not installed, but the runtime ``board`` is."""
    site = tmp_path / "site"
    (site / "board-1.0.dist-info").mkdir(parents=True)
    (site / "board.py").write_text(RUNTIME)
    (site / "board-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: board\nVersion: 1.0\n")
    (site / "board-1.0.dist-info" / "entry_points.txt").write_text("[gnomon.backends]\nboard = board:Board\n")
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def unpacked(tmp_path):
    """Return a function that unpacks a bundle of models, which are bytes or JSON, and returns its folder."""

    def make(name="x", **models):
        planned = [
            PlannedModel(key, "layer", model if isinstance(model, bytes) else json.dumps(dict(model, key=key)).encode())
            for key, model in models.items()
        ]
        plan = write_plan(tmp_path / f"{name}.p", backend="", config=RunConfig(), policy=QUICK, models=planned)
        write_bundle(tmp_path / f"{name}.zip", tmp_path / f"{name}.p", plan=plan, origin={}, title="A test")
        unpack_bundle(tmp_path / f"{name}.zip", tmp_path / name)
        return tmp_path / name

    return make


def start(folder, *arguments):
    command = [sys.executable, str(folder / "gnomon-worker.pyz"), *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True)


def run(folder, *arguments):
    process = start(folder, *arguments)
    output, errors = process.communicate(timeout=120)
    return process.returncode, output, errors


def wait_for_visits(results, count):
    deadline = time.monotonic() + 60
    while not results.exists() or results.read_bytes().count(b'"record":"visit"') < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_bundle_is_run_to_its_end_on_a_real_runtime_and_names_the_file_to_carry_back(unpacked, monkeypatch):
    pytest.importorskip("onnxruntime")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    folder = unpacked(a=affine_model(), broken=b"this is not ONNX")
    code, output, errors = run(folder, "--backend", "onnxruntime", "--threads", "2")
    assert code == 0, errors
    assert output.splitlines()[0].endswith(f"Carry this one file back: {folder}/results-onnxruntime-t2.jsonl")
    found = read_results(folder / "results-onnxruntime-t2.jsonl")
    assert found.is_complete
    assert (found.backend, found.config.threads, found.sessions[0].options["threads"]) == ("onnxruntime", 2, 2)
    assert (set(found.measurements), [failure.key for failure in found.failures]) == ({"a"}, ["broken"])
    assert re.search(r"onnxruntime, 2 threads: \d+ of \d+ visits, 0 s left", errors)
    assert "not timed: broken: ModelRejected" in errors


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no groups of processes to kill")
def test_after_a_power_cut_the_same_command_goes_on_in_the_same_file(board, unpacked, send):
    folder = unpacked(**{f"layer{number}": {"sleep_s": 0.1} for number in range(8)})
    results = folder / "results-board-t1.jsonl"
    process = start(folder, "--backend", "board")
    wait_for_visits(results, 2)
    send(process, signal.SIGKILL, to_group=True)  # all at once, the worker too
    process.communicate()
    before = results.read_bytes()
    code, output, errors = run(folder, "--backend", "board")
    assert code == 0, errors
    assert results.read_bytes().startswith(before[: before.rfind(b"\n")])
    found = read_results(results)
    assert len(found.sessions) == 2
    assert {key: measurement.visits for key, measurement in found.measurements.items()} == {
        f"layer{number}": 2 for number in range(8)
    }
    assert run(folder, "--backend", "board")[:2] == (0, output)  # and once more, when nothing is left to do


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no such signal")
def test_ctrl_c_ends_it_after_the_visit_in_flight_with_one_sentence(board, unpacked, send):
    folder = unpacked(**{f"layer{number}": {"sleep_s": 0.1} for number in range(20)})
    process = start(folder, "--backend", "board")
    wait_for_visits(folder / "results-board-t1.jsonl", 1)
    send(process, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.splitlines()[-1].startswith("interrupted; what was measured is in")
    assert "Traceback" not in errors
    found = read_results(folder / "results-board-t1.jsonl")
    assert len(found.attempts) == len(found.visits)


def test_a_model_that_takes_the_runtime_down_loses_only_itself(board, unpacked):
    folder = unpacked(a={}, deadly={"die": int(signal.SIGSEGV)}, b={})
    assert run(folder, "--backend", "board")[0] == 0
    found = read_results(folder / "results-board-t1.jsonl")
    assert set(found.measurements) == {"a", "b"}
    assert "SIGSEGV" in found.failures[0].reason


def test_every_backend_and_number_of_threads_has_results_of_its_own(board, unpacked):
    folder = unpacked(a={})
    for threads in ("1", "2"):
        assert run(folder, "--backend", "board", "--threads", threads)[0] == 0
    plans = {read_results(folder / f"results-board-t{threads}.jsonl").plan for threads in (1, 2)}
    assert len(plans) == 2


def test_the_list_says_what_the_device_has_and_how_to_get_the_rest(board, unpacked):
    code, output, errors = run(unpacked(a={}), "--list")
    assert (code, errors) == (0, "")
    assert re.search(r"^board +cpu +1\.0$", output, re.MULTILINE)
    assert re.search(r"^onnxruntime +cpu +(\d|not here: python3 -m pip install )", output, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "--backend is missing; --list"),
        (["--backend", "bored"], 3, "No backend is called 'bored'.*Did you mean 'board'"),
        (["--backend", "board", "--threads", "0"], 3, "threads is 0; expected"),
        (["--backend", "../board"], 3, "No backend is called"),
    ],
)
def test_a_wrong_command_is_one_sentence_and_measures_nothing(board, unpacked, arguments, code, message):
    folder = unpacked(a={})
    before = sorted(folder.iterdir())
    found = run(folder, *arguments)
    assert found[0] == code
    assert re.search(message, found[2])
    assert "Traceback" not in found[2]
    assert sorted(folder.iterdir()) == before


def test_a_runtime_that_is_not_there_is_named_with_the_command_for_the_device(board, unpacked, tmp_path):
    (tmp_path / "site" / "openvino.py").write_text("raise ImportError('no openvino here')")
    code, _, errors = run(unpacked(a={}), "--backend", "openvino")
    assert code == 3
    assert 'Install it: python3 -m pip install --upgrade "openvino>=' in errors
    assert "gnomon[" not in errors


def test_a_runtime_that_is_too_old_is_refused_with_both_versions_before_anything_is_measured(board, unpacked, tmp_path):
    (tmp_path / "site" / "openvino.py").write_text("__version__ = '2022.3.0-9052-9752fafe8eb-releases/2022/3'")
    folder = unpacked(a={})
    code, _, errors = run(folder, "--backend", "openvino")
    assert code == 3
    assert re.search(r"2022\.3\.0.*takes 2023\.1 or newer", errors)
    assert not list(folder.glob("results-*"))


def test_a_device_without_numpy_is_told_so(unpacked, monkeypatch):
    folder = unpacked(a={})
    monkeypatch.delenv("PYTHONPATH", raising=False)
    command = [sys.executable, "-I", "-S", str(folder / "gnomon-worker.pyz"), "--list"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 3
    assert "this needs numpy" in ended.stderr


def test_a_python_that_is_too_old_is_told_so(unpacked):
    code = "import runpy, sys; sys.version_info = (3, 7, 16); runpy.run_path(sys.argv[1], run_name='__main__')"
    ended = subprocess.run(
        [sys.executable, "-c", code, unpacked(a={}) / "gnomon-worker.pyz"], capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert ended.stderr == "this needs Python 3.8 or newer, and was started by Python 3.7\n"


def test_a_model_that_was_damaged_on_the_way_is_named(board, unpacked):
    folder = unpacked(a={})
    model = next((folder / "models").iterdir())
    model.write_bytes(b"damaged")
    code, _, errors = run(folder, "--backend", "board")
    assert code == 3
    assert model.name in errors


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of a file")
def test_a_full_disk_is_one_sentence(board, unpacked):
    import resource

    command = [sys.executable, str(unpacked(a={}) / "gnomon-worker.pyz"), "--backend", "board"]
    full = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # noqa: E731
    ended = subprocess.run(command, capture_output=True, text=True, preexec_fn=full)
    assert ended.returncode == 3
    assert "cannot be written: EFBIG" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_on_a_terminal_progress_is_one_line_that_is_left_at_the_end(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "44")
    line = ProgressLine("board, 1 thread")
    for done in (1, 2):
        line({"done": done, "total": 9, "eta_s": 150.0})
    line.end()
    line.end()
    shown = capsys.readouterr().err
    assert [part.rstrip() for part in shown.split("\r")] == [
        "",
        "board, 1 thread: 1 of 9 visits, 2 min left",
        "board, 1 thread: 2 of 9 visits, 2 min left",
    ]
    assert shown.endswith("\n")
    assert left(59.6) == "60 s left"
