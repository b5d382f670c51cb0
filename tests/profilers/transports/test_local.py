import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from gnomon.profilers import (
    BackendBroken,
    BackendError,
    EnvironmentChanged,
    PlannedModel,
    ResultsUnwritable,
    RunConfig,
    TimingPolicy,
    UnknownBackend,
    WorkerCrashed,
    load_backend,
    read_results,
    run_plan_locally,
    write_plan,
)
from gnomon.profilers.child import child_environment
from gnomon.profilers.testing import affine_model, sign_journal
from gnomon.profilers.worker.lock import locked

pytestmark = pytest.mark.slow

LAYERS = {f"layer{number}": {"us": [100.0 + number], "sleep_s": 0.02} for number in range(4)}
QUICK = TimingPolicy(
    block_us=500, blocks_per_visit=4, min_passes=2, max_passes=2, anchor_every=2, processes=1, network_visits=1
)


@pytest.fixture
def results(tmp_path):
    return tmp_path / "results.jsonl"


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_a_real_runtime_runs_a_plan_to_its_end(name, tmp_path, results):
    try:
        version = load_backend(name).version()
    except BackendError as error:
        pytest.skip(str(error))
    models = [
        PlannedModel("good", "layer", affine_model()),
        PlannedModel("broken", "layer", b"this is not ONNX"),
        PlannedModel("whole", "network", affine_model()),
        PlannedModel("anchor", "anchor", affine_model()),
    ]
    write_plan(tmp_path / "plan", backend=name, config=RunConfig(), policy=QUICK, models=models)
    run_plan_locally(tmp_path / "plan", results)
    found = read_results(results)
    assert found.is_complete
    assert set(found.measurements) == {"good", "whole"}
    assert [failure.key for failure in found.failures] == ["broken"]
    assert found.failures[0].reason.startswith("ModelRejected: ")
    assert len(found.anchors) == 3 + 2
    assert found.sessions[0].versions[name] == version
    assert found.sessions[0].options["threads"] == 1
    assert found.sessions[0].options["precision"] == "fp32"


def test_the_child_times_openvino_without_its_telemetry(tmp_path, results):
    pytest.importorskip("openvino")
    models = [PlannedModel("good", "layer", affine_model())]
    write_plan(tmp_path / "plan", backend="openvino", config=RunConfig(), policy=QUICK, models=models)
    code = (
        "import sys; from gnomon.profilers.worker.worker import main; "
        f"code = main([{str(tmp_path / 'plan')!r}, '--results', {str(results)!r}]); "
        "names = [n for n, module in sys.modules.items() if module and n.startswith('openvino_telemetry')]; "
        "sys.exit(99 if names or 'openvino' not in sys.modules else code)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_a_model_that_takes_the_worker_down_loses_only_itself(fake_backend, make_plan, results):
    plan = make_plan(**LAYERS, deadly={"die": int(signal.SIGSEGV)})
    run_plan_locally(plan, results)
    found = read_results(results)
    assert found.is_complete
    assert set(found.measurements) == set(LAYERS)
    assert [failure.key for failure in found.failures] == ["deadly"]
    assert "SIGSEGV" in found.failures[0].reason


def test_a_model_the_system_kills_is_given_up_after_three_tries(fake_backend, make_plan, results):
    plan = make_plan(**LAYERS, huge={"die": int(signal.SIGKILL)})
    run_plan_locally(plan, results)
    found = read_results(results)
    assert set(found.measurements) == set(LAYERS)
    assert [failure.reason for failure in found.failures] == ["the process died or hung 3 times while timing it"]


def test_restarting_has_a_bound(fake_backend, make_plan, results):
    plan = make_plan(**LAYERS, deadly={"die": int(signal.SIGABRT)})
    with pytest.raises(WorkerCrashed, match="SIGABRT") as caught:
        run_plan_locally(plan, results, max_restarts=0)
    assert caught.value.exit_code == -signal.SIGABRT


def test_a_python_error_in_the_worker_is_shown_and_not_repeated(fake_backend, make_plan, results, tmp_path):
    plan = make_plan(**LAYERS)
    plugin = tmp_path / "site" / "gnomon_fake.py"
    broken = (
        "FakeBackend.versions = lambda self: CALLS.append(1) or ({'fake': self.version()} if len(CALLS) < 2 else 1 / 0)"
    )
    plugin.write_text(f"{plugin.read_text()}\n\nCALLS = []\n{broken}\n")
    with pytest.raises(WorkerCrashed, match="ZeroDivisionError") as caught:
        run_plan_locally(plan, results)
    assert caught.value.exit_code == 1


def test_a_plug_in_that_is_broken_is_raised_as_such(fake_backend, make_plan, results, tmp_path):
    plan = make_plan(**LAYERS)
    (tmp_path / "site" / "gnomon_fake.py").write_text("raise RuntimeError('this plug-in is broken')\n")
    with pytest.raises(BackendBroken, match="this plug-in is broken"):
        run_plan_locally(plan, results)


def test_an_error_of_the_worker_is_raised_as_itself(make_plan, results):
    with pytest.raises(UnknownBackend, match="'fake'"):
        run_plan_locally(make_plan(**LAYERS), results)


def test_progress_is_passed_on(fake_backend, make_plan, results):
    events = []
    run_plan_locally(make_plan(**LAYERS), results, on_progress=events.append)
    assert events[-1]["done"] == events[-1]["total"] == 8


def test_several_processes_measure_every_model_one_after_the_other(fake_backend, make_plan, results):
    events = []
    models = {f"layer{number}": {"us": [100.0 + number]} for number in range(8)}
    policy = TimingPolicy(min_passes=3, max_passes=3, anchor_every=3, processes=3)
    run_plan_locally(make_plan(policy=policy, **models), results, on_progress=events.append)
    found = read_results(results)
    assert found.is_complete
    assert (len(found.sessions), len(found.turns)) == (3, 2)
    for session in found.sessions:
        assert {visit.key for visit in found.visits if visit.session == session.id} == set(models)
    assert events[-1]["done"] == events[-1]["total"]


def test_a_failing_progress_callback_stops_the_worker_where_it_can_resume(fake_backend, make_plan, results):
    def fail(event):
        raise ZeroDivisionError

    plan = make_plan(**LAYERS)
    with pytest.raises(ZeroDivisionError):
        run_plan_locally(plan, results, on_progress=fail)
    run_plan_locally(plan, results)
    assert read_results(results).is_complete


def test_ctrl_c_reaches_the_worker_and_the_run_can_go_on(fake_backend, make_plan, results, send):
    plan = make_plan(**{f"layer{number}": {"us": [100.0], "sleep_s": 0.1} for number in range(10)})
    parent = start_run(plan, results)
    wait_for_a_visit(results)
    send(parent, signal.SIGINT)
    assert "KeyboardInterrupt" in parent.communicate(timeout=60)[1]
    half = read_results(results)
    assert not half.is_complete
    assert len(half.attempts) == len(half.visits)
    run_plan_locally(plan, results)
    assert read_results(results).is_complete


def start_run(plan, results):
    code = f"from gnomon.profilers import run_plan_locally; run_plan_locally({str(plan)!r}, {str(results)!r})"
    return subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)


def wait_for_a_visit(results):
    deadline = time.monotonic() + 60
    while not results.exists() or b'"visit"' not in results.read_bytes():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_run_whose_parent_was_killed_alone_can_be_run_again_at_once(fake_backend, make_plan, results, send):
    plan = make_plan(**{f"layer{number}": {"us": [100.0], "sleep_s": 0.3} for number in range(6)})
    parent = start_run(plan, results)
    wait_for_a_visit(results)
    send(parent, signal.SIGKILL)
    parent.communicate()
    run_plan_locally(plan, results)
    found = read_results(results)
    assert found.is_complete
    assert len(found.sessions) == 2
    assert {measurement.visits for measurement in found.measurements.values()} == {2}


def test_a_worker_whose_parent_was_killed_stops_after_the_visit_in_flight(fake_backend, make_plan, results, send):
    plan = make_plan(**{f"layer{number}": {"us": [100.0], "sleep_s": 0.05} for number in range(100)})
    parent = start_run(plan, results)
    wait_for_a_visit(results)
    send(parent, signal.SIGKILL)
    parent.communicate()
    made = len(read_results(results).visits)
    with locked(results, wait_s=10.0):
        assert len(read_results(results).visits) <= made + 2


def test_a_disk_that_fills_is_one_clear_error_and_the_run_can_go_on(fake_backend, make_plan, results):
    plan = make_plan(**LAYERS, last={"us": [1.0], "full": True})
    with pytest.raises(ResultsUnwritable, match="ENOSPC"):
        run_plan_locally(plan, results)
    plugin = results.parent / "site" / "gnomon_fake.py"
    plugin.write_text(plugin.read_text().replace("os.fsync = refuse", "pass"))
    run_plan_locally(plan, results)
    found = read_results(results)
    assert found.is_complete
    assert found.failures == ()


@pytest.mark.filterwarnings("default::gnomon.profilers.journal.TornLine")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of a file")
def test_a_file_that_may_not_grow_is_one_clear_error(fake_backend, make_plan, results):
    plan = make_plan(**LAYERS)
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000)); "
        f"from gnomon.profilers import run_plan_locally; run_plan_locally({str(plan)!r}, {str(results)!r})"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.stderr.splitlines()[-1].startswith("gnomon.profilers.errors.ResultsUnwritable: ")
    assert "EFBIG" in ended.stderr
    kept = {visit.step for visit in read_results(results).visits}
    run_plan_locally(plan, results)
    assert kept <= {visit.step for visit in read_results(results).visits}


def test_a_change_of_the_runtime_between_sessions_is_refused_where_the_session_opens(fake_backend, make_plan, results):
    plan = make_plan(**LAYERS, deadly={"die": int(signal.SIGABRT)})
    with pytest.raises(WorkerCrashed):
        run_plan_locally(plan, results, max_restarts=0)
    results.write_text(results.read_text().replace('"fake":"1.0"', '"fake":"0.9"'))
    sign_journal(results)
    kept = results.read_bytes()
    with pytest.raises(EnvironmentChanged, match=r"versions\.fake was '0\.9' and is '1\.0'"):
        run_plan_locally(plan, results)
    assert results.read_bytes() == kept


def test_how_validations_wait_does_not_reach_what_is_timed(fake_backend, make_plan, results, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_WAIT_POLICY", "passive")
    monkeypatch.setenv("GOMP_SPINCOUNT", "0")
    plugin = tmp_path / "site" / "gnomon_fake.py"
    told = "{n: v for n, v in os.environ.items() if n.startswith(('OMP_', 'GOMP_', 'KMP_'))}"
    versions = f"FakeBackend.versions = lambda self: dict({told}, fake=self.version())"
    plugin.write_text(f"{plugin.read_text()}\n\n{versions}\n")
    run_plan_locally(make_plan(**LAYERS), results)
    (session,) = read_results(results).sessions
    seen = {name: value for name, value in session.versions.items() if name not in ("fake", "python")}
    assert seen == {"OMP_NUM_THREADS": "1"}


def test_the_child_sees_only_the_thread_settings_asked_for():
    inherited = {"PATH": "/bin", "OMP_NUM_THREADS": "64", "KMP_AFFINITY": "compact", "GOMP_SPINCOUNT": "9"}
    environment = child_environment(inherited, threads=3)
    assert environment["OMP_NUM_THREADS"] == environment["OPENBLAS_NUM_THREADS"] == "3"
    assert environment["PATH"] == "/bin"
    assert not {"KMP_AFFINITY", "GOMP_SPINCOUNT"} & set(environment)
    assert inherited["OMP_NUM_THREADS"] == "64"


def test_a_model_that_hangs_is_a_failure_and_the_run_goes_on(fake_backend, make_plan, results, monkeypatch):
    monkeypatch.setenv("GNOMON_TEST_LIMIT_S", "1")
    plan = make_plan(**LAYERS, endless={"us": [1.0], "sleep_s": 3600}, policy=replace(QUICK, time_cap_s=1.0))
    run_plan_locally(plan, results)
    found = read_results(results)
    assert found.is_complete
    assert set(found.measurements) == set(LAYERS)
    assert [(one.key, one.reason) for one in found.failures] == [
        ("endless", "the process died or hung 3 times while timing it")
    ]


def test_a_worker_that_ends_well_before_it_is_done_is_a_crash(fake_backend, make_plan, results):
    plan = make_plan(**LAYERS, leaving={"exit": 0})
    run_plan_locally(plan, results)
    found = read_results(results)
    assert found.is_complete
    assert set(found.measurements) == set(LAYERS)
    assert [(one.key, one.reason) for one in found.failures] == [
        ("leaving", "the process died with exit code 0 while timing it")
    ]
