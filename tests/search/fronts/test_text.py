"""What runs, fronts, profiles and spaces say of themselves, and the constrained values in every table."""

import csv
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from gnomon.lut import load_profile, shipped_profiles
from gnomon.search import SearchConfig, Study, load_run
from gnomon.search.final.final import final_front
from gnomon.search.fronts.pareto import table_of_front
from gnomon.search.interchange import write_run
from gnomon.search.testing.contracts import AnalyticSupernet

SAMPLES = Path(__file__).parents[1] / "samples"


@pytest.fixture(scope="module")
def profile():
    return load_profile(next(n for n in shipped_profiles() if n.startswith("fashion_mnist/")))


@pytest.fixture
def run(tmp_path, profile):
    """A run with a constraint on what it does not optimise, and on a latency."""
    config = SearchConfig(
        space="fashion_mnist", constraints=("params<=60000", "macs<=5M"), tactic="random", budget=20, population=4
    )
    with Study(config, tmp_path / "run", profile=profile) as study:
        while not study.done:
            for trial in study.ask():
                study.tell(trial, accuracy=80 + int(trial.id[:4], 16) / 65536 * 10, seconds=0.0)
        return study.run


def test_constrained_values_are_in_every_table_beside_the_objectives(run, profile, tmp_path):
    rows = np.array([e.indices for e in run.evaluations])
    params, macs = profile.space.params(rows), profile.space.macs(rows)
    table = run.table()
    assert list(table.column("params")) == params.tolist()
    assert list(table.column("macs")) == macs.tolist()
    assert list(run.frame()["params"]) == params.tolist()
    write_run(run, tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="") as file:
        assert [float(row["params"]) for row in csv.DictReader(file)] == params.tolist()
    write_run(run, tmp_path / "t.parquet")
    parquet = pytest.importorskip("pyarrow.parquet")
    assert parquet.read_table(tmp_path / "t.parquet")["params"].to_pylist() == params.tolist()
    front = run.front()
    known = dict(zip([e.id for e in run.evaluations], params.tolist()))
    assert list(table_of_front(front).column("params")) == [known[a.id] for a in front.architectures]
    assert list(front.spread(2).frame()["params"]) == [known[a.id] for a in front.spread(2).architectures]
    assert "params" in front._repr_html_()


def test_optuna_gets_constrained_values_too(run, tmp_path):
    optuna = pytest.importorskip("optuna")
    write_run(run, tmp_path / "t.log")
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(tmp_path / "t.log")))
    study = optuna.load_study(study_name="run", storage=storage)
    assert [t.user_attrs["gnomon_params"] for t in study.trials] == [e.values["params"] for e in run.evaluations]


@pytest.mark.slow
def test_the_deployment_of_a_network_is_a_column_by_its_label(tmp_path):
    profiles = [load_profile(n) for n in shipped_profiles() if n.startswith("fashion_mnist/")]
    config = SearchConfig(space="fashion_mnist", tactic="random", budget=4, population=4)
    with Study(config, tmp_path / "run", deployments=profiles) as study:
        for trial in study.ask():
            study.tell(trial, accuracy=90.0, seconds=0.0)
    labels = set(study.run.table().column("deployment"))
    assert labels <= {"onnxruntime fp32 t1", "openvino fp32 t1"}


def test_what_was_done_and_spent_is_said_in_the_same_words_everywhere(run):
    full = run.evaluations[0]
    looks = tuple(full.model_copy(update={"share": 0.1, "order": 20 + i}) for i in range(20))
    mixed = replace(run, evaluations=(*run.evaluations[:18], *looks))
    said = "18 validations and 20 partial evaluations on random examples, cost 20 of 20"
    assert mixed.effort == said
    assert said in mixed._repr_html_()
    assert said in repr(mixed)
    assert said in str(mixed)
    broken = full.model_copy(update={"failed": "out of memory", "values": {}})
    assert replace(run, evaluations=(full, broken)).effort == "1 validation, 1 failed, cost 2 of 20"


class Text(HTMLParser):
    def __init__(self):
        super().__init__()
        self.said = ""

    def handle_data(self, data):
        self.said += data


def test_everything_that_a_session_shows_is_short(run, profile):
    elsewhere = replace(profile, header=profile.header.model_copy(update={"device": "another"}))
    final = final_front(run, supernet=AnalyticSupernet(profile.space), profile=elsewhere, controls=0)
    for shown in (run, run.front(), final, profile, profile.space, profile.latency, profile.table):
        assert len(repr(shown)) <= 400
        assert "\n" not in repr(shown)
        assert len(str(shown)) <= 2000
    for shown in (run, run.front(), final, profile, profile.space):
        text = Text()
        text.feed(shown._repr_html_())
        assert len(text.said) <= 3000
    for member in run.front().architectures:
        assert member.id in str(run)
    assert profile.quality in str(profile)
    assert profile.quality in profile._repr_html_()


def test_a_printed_front_is_a_table(run):
    front = run.front()
    lines = str(front).splitlines()
    assert lines[1].split("  ")[0].strip() == "id"
    for words in ("accuracy (percent)", "latency (us)", "params", "macs"):
        assert words in lines[1]
    assert "(params)" not in lines[1]
    assert [line.split()[0] for line in lines[2:]] == [a.id for a in front.architectures]
    assert [float(line.split()[1]) for line in lines[2:]] == pytest.approx([v[0] for v in front.values], rel=1e-5)


def test_a_profile_of_a_space_that_is_not_here_can_be_shown(profile):
    strange = replace(profile, header=profile.header.model_copy(update={"space": "not_installed"}))
    assert "not_installed" in str(strange)
    assert strange._repr_html_() is None


def test_a_run_without_a_front_says_why():
    run = load_run(SAMPLES / "run_v1")
    assert "nothing yet" in str(replace(run, evaluations=(), start=None))
