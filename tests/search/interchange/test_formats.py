import csv as csv_module
import json
import sys
import warnings
from dataclasses import replace

import numpy as np
import optuna
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gnomon.outputs import OutputUnusable
from gnomon.search import SearchConfig, search_in_context
from gnomon.search.errors import NothingMeasured, RunMismatch, UnknownName
from gnomon.search.interchange import format_names, format_of, write_run
from gnomon.search.interchange.formats.csv import cell_from_value
from gnomon.search.interchange.formats.optuna import quiet, storage_at
from gnomon.search.testing.contracts import fake_context

SUFFIX = {"csv": ".csv", "parquet": ".parquet", "optuna": ".db"}
CONFIG = SearchConfig(
    space="fashion_mnist", objectives=("accuracy", "latency"), budget=14, population=7, tactic="random",
    constraints=("latency<=650us",),
)  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "first"
    return search_in_context(fake_context(), CONFIG, folder, provenance={"profile": {"name": "p", "sha256": "ab"}})


def csv_rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv_module.DictReader(file))


def study_at(path):
    import optuna

    url = f"sqlite:///{path}"
    if path.suffix == ".log":
        url = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))
    return optuna.load_study(study_name=None, storage=url)


def test_the_folder_is_the_registry(tmp_path):
    assert format_names() == ("csv", "optuna", "parquet")
    assert {name: format_of(tmp_path / f"t{suffix}") for name, suffix in SUFFIX.items()} == {n: n for n in SUFFIX}


def test_the_run_has_both_sides_of_its_constraint(run):
    latency = run.values[:, 1]
    assert (latency <= 650).any()
    assert (latency > 650).any()


def test_csv_holds_every_evaluation_to_the_last_digit(run, tmp_path):
    assert write_run(run, tmp_path / "t.csv") == 0
    rows = csv_rows(tmp_path / "t.csv")
    assert [float(row["accuracy_percent"]) for row in rows] == [e.values["accuracy"] for e in run.evaluations]
    assert [float(row["latency_us"]) for row in rows] == [e.values["latency"] for e in run.evaluations]
    assert [(int(row["order"]), int(row["round"]), row["id"]) for row in rows] == [
        (e.order, e.round, e.id) for e in run.evaluations
    ]
    assert {row["id"] for row in rows if row["on_front"] == "true"} == {a.id for a in run.front().architectures}
    space = fake_context().space
    genes = [{choice.name: float(row[choice.name]) for choice in space.choices} for row in rows]
    assert [space.architecture_of(values).indices for values in genes] == [e.indices for e in run.evaluations]


def test_parquet_holds_the_same_with_types_and_the_runs_description(run, tmp_path):
    import pyarrow.parquet

    assert write_run(run, tmp_path / "t.parquet") == 0
    stored = pyarrow.parquet.read_table(tmp_path / "t.parquet")
    table = run.table()
    assert tuple(stored.column_names) == table.columns
    assert tuple(zip(*(stored.column(name).to_pylist() for name in table.columns))) == table.rows
    description = json.loads(stored.schema.metadata[b"gnomon.run"])
    assert description["config"]["seed"] == CONFIG.seed
    assert description["provenance"] == {"profile": {"name": "p", "sha256": "ab"}}


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".db", ".log"])
def test_optuna_finds_the_same_front_among_the_same_trials(run, tmp_path, suffix):
    path = tmp_path / f"study{suffix}"
    assert write_run(run, path) == 0
    study = study_at(path)
    assert study.study_name == "first"
    assert [direction.name for direction in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert study.metric_names == ["accuracy (percent)", "latency (us)"]
    assert study.user_attrs["gnomon"]["config"]["constraints"] == ["latency<=650us"]
    assert [tuple(trial.values) for trial in study.trials] == list(map(tuple, run.values))
    assert [tuple(trial.user_attrs["gnomon_indices"]) for trial in study.trials] == [e.indices for e in run.evaluations]
    space = fake_context().space
    assert [space.architecture_of(trial.params).indices for trial in study.trials] == [
        e.indices for e in run.evaluations
    ]
    front = {trial.user_attrs["gnomon_id"] for trial in study.best_trials}
    assert front == {architecture.id for architecture in run.front().architectures}


@pytest.mark.slow
def test_optuna_can_go_on_from_an_exported_study(run, tmp_path):
    import optuna

    write_run(run, tmp_path / "study.db")
    study = optuna.load_study(
        study_name=None, storage=f"sqlite:///{tmp_path / 'study.db'}", sampler=optuna.samplers.NSGAIISampler(seed=1)
    )
    trial = study.ask(
        {c.name: optuna.distributions.CategoricalDistribution(c.options) for c in fake_context().space.choices}
    )
    study.tell(trial, [90.0, 100.0])
    assert len(study.trials) == CONFIG.budget + 1


def with_shares(run, failed="out of memory"):
    """The run with a partial evaluation and a failure."""
    partial, failure, *rest = run.evaluations
    marked = (
        partial.model_copy(update={"share": 0.1}),
        failure.model_copy(update={"failed": failed, "values": {}}),
    )
    return replace(run, evaluations=(*marked, *rest))


@pytest.mark.slow
def test_partial_evaluations_and_failures_are_told_apart(run, tmp_path):
    import optuna

    marked = with_shares(run)
    assert write_run(marked, tmp_path / "t.csv") == 0
    partial, failure, *rest = csv_rows(tmp_path / "t.csv")
    assert (partial["share"], partial["on_front"], failure["failed"]) == ("0.1", "false", "out of memory")
    assert failure["accuracy_percent"] == failure["latency_us"] == ""
    assert {row["share"] for row in rest} == {"1.0"}
    assert write_run(marked, tmp_path / "t.parquet") == 0
    assert write_run(marked, tmp_path / "study.db") == 1
    trials = study_at(tmp_path / "study.db").trials
    assert [trial.state for trial in trials].count(optuna.trial.TrialState.FAIL) == 1
    assert len(trials) == CONFIG.budget - 1
    assert trials[0].user_attrs["gnomon_failed"] == "out of memory"


@pytest.mark.slow
@pytest.mark.parametrize("name", format_names())
def test_outputs_are_kept_unless_forced(run, tmp_path, name):
    path = tmp_path / f"t{SUFFIX[name]}"
    path.write_text("precious")
    for force in (False, True):
        with pytest.raises(OutputUnusable, match="not an exported run that Gnomon wrote"):
            write_run(run, path, force=force)
    assert path.read_text() == "precious"
    path.unlink()
    write_run(run, path)
    with pytest.raises(OutputUnusable, match="force=True"):
        write_run(run, path)
    write_run(run, path, force=True)
    with pytest.raises(OutputUnusable, match="cannot write"):
        write_run(run, path / f"below{SUFFIX[name]}")
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


@pytest.mark.slow
@pytest.mark.parametrize("name", format_names())
def test_what_fails_half_way_leaves_the_old_file(run, tmp_path, monkeypatch, name):
    import os

    path = tmp_path / f"t{SUFFIX[name]}"
    write_run(run, path)
    precious = path.read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputUnusable, match="No space left"):
        write_run(run, path, force=True)
    assert path.read_bytes() == precious
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".db", ".log"])
def test_a_study_that_somebody_went_on_with_is_not_replaced(run, tmp_path, suffix):
    path = tmp_path / f"study{suffix}"
    write_run(run, path)
    write_run(run, path, force=True)
    with quiet(), storage_at(path, is_journal=suffix == ".log") as storage:
        study = optuna.load_study(storage=storage, study_name=None)
        study.add_trial(optuna.trial.create_trial(values=[1.0] * len(run.objectives)))
    with pytest.raises(OutputUnusable, match="so it is not replaced"):
        write_run(run, path, force=True)


def test_unknown_formats_are_refused(run, tmp_path):
    with pytest.raises(UnknownName, match="did you mean 'parquet'"):
        write_run(run, tmp_path / "t", name="parqet")
    with pytest.raises(UnknownName, match=r"`name=csv\|optuna\|parquet`"):
        write_run(run, tmp_path / "t.xlsx")
    with pytest.raises(UnknownName, match=r"unknown run format '\.\./csv'"):
        write_run(run, tmp_path / "t", name="../csv")


@pytest.mark.parametrize("name", format_names())
def test_an_empty_run_and_a_changed_space_are_refused(run, tmp_path, name):
    path = tmp_path / "t"
    with pytest.raises(NothingMeasured, match="has measured nothing yet"):
        write_run(replace(run, evaluations=()), path, name=name)
    changed = replace(run, header=run.header.model_copy(update={"space_digest": "0" * 16}))
    with pytest.raises(RunMismatch, match="its genes mean something else"):
        write_run(changed, path, name=name)
    assert not path.exists()


@pytest.mark.parametrize(("name", "module"), [("parquet", "pyarrow"), ("optuna", "optuna")])
def test_a_missing_package_is_named(run, tmp_path, monkeypatch, name, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ModuleNotFoundError) as raised:
        write_run(run, tmp_path / "t", name=name)
    assert raised.value.name == module


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2", "@SUM(A1)", "\t=1", "\r=1", " =1", "'=1"])
def test_formulas_are_made_plain(text):
    assert cell_from_value(text) == "'" + text


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tactic=TEXT, failed=TEXT)
def test_any_text_survives_and_none_is_a_formula(run, tmp_path, tactic, failed):
    header = run.header.model_copy(update={"config": run.header.config.model_copy(update={"tactic": tactic})})
    write_run(with_shares(replace(run, header=header), failed), tmp_path / "t.csv", force=True)
    rows = csv_rows(tmp_path / "t.csv")
    assert {row["tactic"].removeprefix("'") for row in rows} == {tactic}
    for text in (rows[0]["tactic"], rows[1]["failed"]):
        assert not text.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))
    assert rows[1]["failed"] in (failed, f"'{failed}")


@pytest.mark.slow
def test_exporting_warns_of_nothing_and_keeps_optunas_verbosity(run, tmp_path, capsys):
    import optuna

    before = optuna.logging.get_verbosity()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_run(run, tmp_path / "study.db")
    assert optuna.logging.get_verbosity() == before
    assert capsys.readouterr().err == ""


def test_frames_of_a_run_and_its_front(run):
    frame, front = run.frame(), run.front().frame()
    assert list(frame["accuracy_percent"]) == [e.values["accuracy"] for e in run.evaluations]
    assert set(frame.loc[frame["on_front"], "id"]) == set(front["id"])
    assert np.array_equal(front[["accuracy_percent", "latency_us"]].to_numpy(), np.array(run.front().values))
    assert set(frame["kernel.1.1"]) <= {3, 5}


def test_without_pandas_the_way_to_install_it_is_named(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'pandas>=2.2'"):
        run.front().frame()
