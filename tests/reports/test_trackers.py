"""A search in experiment trackers: what they are shown, and that each adapter's local files hold it."""

import json
import struct
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

import gnomon
from gnomon.cli.main import run as run_command
from gnomon.reports import tracker
from gnomon.reports.errors import TrackingFailed
from gnomon.reports.tracker import TRACKERS, values_of
from gnomon.reports.trackers.mlflow import mlflow_name
from gnomon.search import SearchProgress

CONFIG = gnomon.SearchConfig(
    space="fashion_mnist", objectives=("params", "macs"), tactic="random", budget=6, constraints=("macs<=9M",)
)
FULL = {"cost", "failures", "params", "macs", "hypervolume", "front"}
STRANGE = pytest.mark.filterwarnings("ignore")  # those of other packages are theirs


def searched(folder, *names, config=CONFIG, **more):
    return gnomon.run_search(config, folder, track=names, **more)


def longer(budget):
    return CONFIG.model_copy(update={"budget": budget})


class Spy:
    """A tracker that keeps what it is shown, and raises in `fails_at`."""

    MODULE = "json"

    def __init__(self, fails_at=None):
        self.shown, self.fails_at = [], fails_at

    def open_tracker(self, run, settings, known):
        if self.fails_at == "open":
            raise ConnectionError("nobody listens on port 5000")
        self.id = known or f"new-{len(self.shown)}"
        self.shown.append(("open", self.id, settings))
        return self

    def log(self, values, step):
        if self.fails_at == step:
            raise ConnectionError("the line went dead")
        self.shown.append((step, values))

    def close(self, front, *, is_over):
        self.shown.append(("close", front, is_over))


@pytest.fixture
def spy(monkeypatch):
    """Return a function that puts a spy in the place of all trackers."""

    def placed(**more):
        found = Spy(**more)
        monkeypatch.setattr(tracker, "TRACKERS", SimpleNamespace(load=lambda name: found))
        return found

    return placed


def test_a_tracker_is_shown_settings_measurements_and_the_front(tmp_path, spy):
    seen = spy()
    run = searched(tmp_path / "run", "spy")
    (_, _, settings), *logged, (_, front, is_over) = seen.shown
    assert settings.items() >= {"tactic": "random", "budget": 6, "objectives": "params, macs", "seed": 0}.items()
    assert "region" not in settings
    assert [step for step, _ in logged] == [1, 2, 3, 4, 5, 6]
    last = logged[-1][1]
    assert set(last) == FULL
    assert last["hypervolume"] == pytest.approx(run.hypervolume())
    assert (last["cost"], last["front"]) == (6.0, len(run.front().values))
    assert str(run.front()) in front
    assert is_over


def test_a_partial_or_failed_evaluation_shows_its_cost_and_the_front_but_no_values_of_its_own(tmp_path):
    run = searched(tmp_path / "run")
    for changed in ({"share": 0.1}, {"failed": "lost", "values": {}}):
        evaluation = run.evaluations[-1].model_copy(update=changed)
        changed_run = replace(run, evaluations=(*run.evaluations[:-1], evaluation))
        values = values_of(SearchProgress(changed_run, evaluation, 5.1, 6, 1.0, 2.0))
        shown = {"hypervolume": 2.0, "front": len(changed_run.front_ids())}
        assert values == {"cost": 5.1, "failures": len(changed_run.failures), **shown}


def test_a_search_that_goes_on_does_so_in_the_tracker(tmp_path, spy):
    seen = spy()
    searched(tmp_path / "run", "spy")
    searched(tmp_path / "run", "spy", config=longer(8))
    assert [entry[1] for entry in seen.shown if entry[0] == "open"] == ["new-0", "new-0"]
    assert [entry[0] for entry in seen.shown if isinstance(entry[0], int)] == [1, 2, 3, 4, 5, 6, 7, 8]
    searched(tmp_path / "run", "spy", force=True)
    opened = [entry[1] for entry in seen.shown if entry[0] == "open"]
    assert opened[-1] not in opened[:-1]


def test_a_tracker_that_fails_is_given_up_and_the_search_goes_on(tmp_path, spy):
    seen, said = spy(fails_at=3), []
    run = searched(tmp_path / "run", "spy", on_step=said.append)
    assert run.cost == 6.0
    assert [entry[0] for entry in seen.shown] == ["open", 1, 2]
    assert len(said) == 1
    assert said[0].startswith("spy is given up, and the search goes on: ConnectionError: the line went dead")


def test_a_tracker_that_cannot_be_opened_is_an_error_and_nothing_is_lost(tmp_path, spy):
    spy(fails_at="open")
    with pytest.raises(TrackingFailed, match="in spy: ConnectionError: nobody listens on port 5000"):
        searched(tmp_path / "run", "spy")
    assert searched(tmp_path / "run").cost == 6.0


def test_an_interrupted_search_is_not_over(tmp_path, spy):
    seen = spy()

    def stop(progress):
        if progress.spent == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        searched(tmp_path / "run", "spy", on_progress=stop)
    assert seen.shown[-1][0] == "close"
    assert seen.shown[-1][2] is False


@pytest.mark.parametrize("text", ["[]", "{", '{"ids": {"spy": "../../elsewhere"}}', '{"schema": "other"}'])
def test_ids_of_strangers_are_refused(tmp_path, spy, text):
    searched(tmp_path / "run")
    (tmp_path / "run" / "trackers.json").write_text(text)
    spy()
    with pytest.raises(TrackingFailed, match=r"trackers\.json does not say"):
        searched(tmp_path / "run", "spy", config=longer(8))


def test_an_unknown_tracker_is_refused_before_anything_is_measured(tmp_path):
    with pytest.raises(TrackingFailed, match="known: mlflow, tensorboard, wandb; did you mean 'tensorboard'"):
        searched(tmp_path / "run", "tensorbord")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", TRACKERS.names())
def test_an_absent_tracker_names_what_installs_it(tmp_path, monkeypatch, capsys, name):
    monkeypatch.setitem(sys.modules, name, None)
    arguments = ["search", "--objectives", "params,macs", "--track", name, "--out", str(tmp_path / "run")]
    assert run_command(arguments) == 3
    assert f"this needs {name}, which is not installed: pip install '{name}" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_names_are_as_mlflow_takes_them():
    assert mlflow_name("latency@pi 5") == "latency-pi 5"


@pytest.mark.slow
@STRANGE
def test_tensorboard_reads_what_was_written(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    searched(tmp_path / "runs" / "first", "tensorboard")
    run = searched(tmp_path / "runs" / "first", "tensorboard", config=longer(8))
    events = accumulator.EventAccumulator(str(tmp_path / "runs" / "tensorboard" / "first"))
    events.Reload()
    assert set(events.Tags()["tensors"]) == {*FULL, "_hparams_/session_start_info"}
    assert "tactic" in str(events.SummaryMetadata("_hparams_/session_start_info"))
    written = [(one.step, one.tensor_proto.float_val[0]) for one in events.Tensors("params")]
    assert written == [(n + 1, pytest.approx(e.values["params"])) for n, e in enumerate(run.evaluations)]
    searched(tmp_path / "runs" / "first", "tensorboard", force=True)
    assert sorted(path.name for path in (tmp_path / "runs" / "tensorboard").iterdir()) == ["first", "first-2"]


@pytest.mark.slow
@STRANGE
def test_mlflow_keeps_a_run_in_its_local_database(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.chdir(tmp_path)
    mlflow = pytest.importorskip("mlflow")
    pytest.importorskip("alembic")
    searched(tmp_path / "first", "mlflow")
    run = searched(tmp_path / "first", "mlflow", config=longer(8))
    client = mlflow.MlflowClient()
    (kept,) = client.search_runs([client.get_experiment_by_name("gnomon").experiment_id])
    assert (kept.info.run_name, kept.info.status) == ("first", "FINISHED")
    assert kept.data.params["tactic"] == "random"
    history = sorted((one.step, one.value) for one in client.get_metric_history(kept.info.run_id, "params"))
    assert history == [(n + 1, e.values["params"]) for n, e in enumerate(run.evaluations)]
    assert [one.path for one in client.list_artifacts(kept.info.run_id)] == ["front.txt"]
    assert not mlflow.telemetry.client.get_telemetry_client()


def records_in(content):
    """Yield the records of a file of wandb: a head of 7 bytes, then LevelDB's format of logs."""
    block, head, place, begun = 32768, 7, 7, b""
    while place + head <= len(content):
        left = block - place % block
        if left < head:
            place += left  # filled up with zeros
            continue
        size, kind = struct.unpack_from("<HB", content, place + 4)
        begun += content[place + head : place + head + size]
        place += head + size
        if kind in (1, 4):  # whole, or the last part
            yield begun
            begun = b""


@pytest.mark.slow
@STRANGE
def test_wandb_keeps_a_run_offline(tmp_path, monkeypatch):
    for name in ("WANDB_MODE", "WANDB_DIR", "WANDB_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    wandb = pytest.importorskip("wandb")
    from wandb.proto.wandb_internal_pb2 import Record

    run = searched(tmp_path / "first", "wandb")
    wandb.teardown()
    (file,) = (tmp_path / "wandb").glob("offline-run-*/*.wandb")
    records = [Record.FromString(data) for data in records_in(file.read_bytes())]
    rows = [
        {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in record.history.item}
        for record in records
        if record.WhichOneof("record_type") == "history"
    ]
    assert [row["params"] for row in rows] == [e.values["params"] for e in run.evaluations]
    assert [row["_step"] for row in rows] == [1, 2, 3, 4, 5, 6]
    (begun,) = [record.run for record in records if record.WhichOneof("record_type") == "run"]
    assert (begun.project, begun.display_name) == ("gnomon", "first")
    assert begun.host == "not told"
