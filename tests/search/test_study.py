import json
import os
import pickle
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gnomon
from gnomon.search import SearchConfig, UserObjective, load_run, search_in_context
from gnomon.search.errors import (
    InvalidConfig,
    InvalidValue,
    NothingMeasured,
    RunLocked,
    RunMismatch,
    TrialRefused,
    UnknownName,
)
from gnomon.search.testing.contracts import AnalyticSupernet, fake_context
from gnomon.supernets import load_space

CONFIG = SearchConfig(
    space="fashion_mnist", objectives=("accuracy", "macs"), budget=9, population=4, tactic="linas", inner_evaluations=60
)
SCRIPT = """
import os, sys
import gnomon
from gnomon.search.testing.contracts import AnalyticSupernet
from gnomon.supernets import load_space
study = gnomon.Study(gnomon.SearchConfig.model_validate_json(sys.argv[2]), sys.argv[1])
net = AnalyticSupernet(load_space("fashion_mnist"))
for trial in study.ask()[1:3]:
    study.tell(trial, accuracy=net.evaluate(trial.architecture, "validation"))
print(*[trial.id for trial in study.ask()])
sys.stdout.flush()
os._exit(1)  # as a kill would
"""


def accuracy(trial):
    return AnalyticSupernet(load_space("fashion_mnist")).evaluate(trial.architecture, "validation", trial.share)


def finish(study):
    while not study.done:
        for trial in study.ask():
            study.tell(trial, accuracy=accuracy(trial))
    return study.run


def placed(run):
    return sorted((e.round, e.position, e.size, e.indices, e.share, tuple(e.values.items())) for e in run.evaluations)


@pytest.fixture
def study(tmp_path):
    with gnomon.Study(CONFIG, tmp_path / "run") as study:
        yield study


@pytest.mark.parametrize("tactic", ["linas", "random", "evolutionary"])
def test_a_study_measures_what_a_search_measures(tmp_path, tactic):
    config = CONFIG.model_copy(update={"tactic": tactic})
    with gnomon.Study(config, tmp_path / "told") as study:
        told = finish(study)
        assert study.ask() == ()
    computed = search_in_context(fake_context(), config, tmp_path / "computed", provenance={})
    assert placed(told) == placed(computed)
    assert told.front() == computed.front() == study.front() == load_run(tmp_path / "told").front()
    assert told.stop.reason == "budget"


def test_a_trial_says_what_to_build(study):
    trial = study.ask()[0]
    space = load_space("fashion_mnist")
    assert trial.choices == space.values(trial.architecture)
    assert (trial.id, trial.indices) == (trial.architecture.id, trial.architecture.indices)
    assert (trial.share, trial.round, trial.position) == (1.0, 0, 0)


def test_a_trial_travels_to_another_process_and_back(study):
    asked = study.ask()[0]
    trial = pickle.loads(pickle.dumps(asked))
    assert trial.choices == asked.choices
    assert study.tell(trial, accuracy=90.0).id == asked.id


@pytest.fixture(scope="module")
def ordered(tmp_path_factory):
    """A study that is told in the order in which it asks."""
    with gnomon.Study(CONFIG, tmp_path_factory.mktemp("ordered") / "run") as study:
        return placed(finish(study))


@pytest.mark.slow
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_order_of_telling_changes_the_trajectory(tmp_path_factory, ordered, data):
    folder = tmp_path_factory.mktemp("farm") / "run"
    with gnomon.Study(CONFIG, folder) as study:
        while not study.done:
            for trial in data.draw(st.permutations(study.ask())):
                study.tell(trial, accuracy=accuracy(trial))
    assert placed(load_run(folder)) == ordered


def test_the_next_round_waits_for_all_of_this_one(study):
    first = study.ask()
    for trial in first[:-1]:
        study.tell(trial, accuracy=accuracy(trial))
    assert study.ask() == first[-1:]
    study.tell(first[-1], accuracy=accuracy(first[-1]))
    assert {trial.round for trial in study.ask()} == {1}


@pytest.mark.slow
def test_a_killed_study_asks_for_the_rest_in_another_process(tmp_path):
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "run"), CONFIG.model_dump_json()]
    killed = subprocess.run(command, env=os.environ | {"PYTHONHASHSEED": "3"}, capture_output=True, text=True)
    left = killed.stdout.split()
    assert len(left) == 2, killed.stderr
    with gnomon.Study(CONFIG, tmp_path / "run") as study:
        assert [trial.id for trial in study.ask()] == left
        resumed = finish(study)
    with gnomon.Study(CONFIG, tmp_path / "whole") as study:
        assert placed(resumed) == placed(finish(study))


def test_two_studies_do_not_write_one_folder(tmp_path, study):
    with pytest.raises(RunLocked, match="another process"):
        gnomon.Study(CONFIG, tmp_path / "run")
    study.close()
    gnomon.Study(CONFIG, tmp_path / "run").close()


def test_a_forgotten_study_lets_the_folder_go(tmp_path):
    gnomon.Study(CONFIG, tmp_path / "run").ask()
    assert gnomon.Study(CONFIG, tmp_path / "run").ask()


@pytest.mark.slow
def test_a_failure_is_kept_costs_and_is_not_asked_again(tmp_path):
    config = CONFIG.model_copy(update={"objectives": ("accuracy", "params"), "tactic": "gnomon", "budget": 14})
    with gnomon.Study(config, tmp_path / "run") as study:
        lost = study.ask()[0]
        study.tell(lost, failed="out of memory")
        assert study.run.cost == 1.0
        with pytest.raises(NothingMeasured, match="measured nothing yet in full"):
            study.front()
        run = finish(study)
    assert [e.failed for e in run.failures] == ["out of memory"]
    assert [e.indices for e in run.evaluations].count(lost.indices) == 1
    assert lost.architecture not in run.front().architectures
    assert (run.cost, len(run.values)) == (14.0, 13)
    assert load_run(tmp_path / "run") == run


@pytest.mark.parametrize(
    ("outcome", "error", "said"),
    [
        ({}, TrialRefused, "without accuracy; tell accuracy=..."),
        ({"accuracy": 90.0, "macs": 3.0}, TrialRefused, "told macs, but it is computed here"),
        ({"acuracy": 90.0}, TrialRefused, "does not have it; did you mean 'accuracy'"),
        ({"accuracy": float("nan")}, InvalidValue, "accuracy=nan; expected a finite number in percent"),
        ({"accuracy": float("inf")}, InvalidValue, "accuracy=inf"),
        ({"accuracy": "high"}, InvalidValue, "accuracy='high'"),
        ({"accuracy": "90"}, InvalidValue, "accuracy='90'"),
        ({"accuracy": True}, InvalidValue, "accuracy=True"),
        ({"accuracy": None}, InvalidValue, "accuracy=None"),
        ({"accuracy": 90.0, "failed": "lost"}, TrialRefused, "failed='lost' with accuracy"),
        ({"failed": " "}, TrialRefused, "no reason"),
    ],
)
def test_what_cannot_be_told_is_one_error_and_the_trial_stays_open(study, outcome, error, said):
    trial = study.ask()[1]
    with pytest.raises(error) as raised:
        study.tell(trial, **outcome)
    assert said in str(raised.value)
    assert trial in study.ask()
    study.tell(trial, accuracy=90.0)
    assert trial not in study.ask()


def test_a_trial_is_told_once(study):
    trial = study.ask()[2]
    study.tell(trial, accuracy=90.0)
    for outcome in ({"accuracy": 91.0}, {"failed": "lost"}):
        with pytest.raises(TrialRefused, match=r"is told already \(accuracy 90 percent, macs"):
            study.tell(trial, **outcome)
    assert [e.values["accuracy"] for e in study.run.evaluations] == [90.0]


def test_a_trial_of_another_study_is_refused(tmp_path, study):
    with gnomon.Study(CONFIG.model_copy(update={"seed": 5}), tmp_path / "other") as other:
        foreign = other.ask()[0]
    with pytest.raises(TrialRefused, match="not one that this study asks for; open are"):
        study.tell(foreign, accuracy=90.0)
    assert len(study.ask()) == 4


def test_declared_objectives_are_told(tmp_path):
    config = CONFIG.model_copy(update={"objectives": ("perplexity", "macs"), "reference": {"perplexity": 80.0}})
    with gnomon.Study(config, tmp_path / "run", user_objectives=[UserObjective("perplexity", "nats", "min")]) as study:
        for value, trial in zip((50.0, 30.0, 40.0, 70.0), study.ask()):
            study.tell(trial, perplexity=value)
        run = study.run
    assert [(o.name, o.unit, o.direction) for o in run.objectives[:1]] == [("perplexity", "nats", "min")]
    assert min(values[0] for values in run.front().values) == 30.0


def test_undeclared_objectives_are_unknown(tmp_path):
    with pytest.raises(UnknownName, match="perplexity"):
        gnomon.Study(CONFIG.model_copy(update={"objectives": ("perplexity", "macs")}), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("wrong", [{"name": "failed"}, {"unit": ""}, {"direction": "up"}])
def test_declarations_are_checked(wrong):
    with pytest.raises(InvalidConfig, match="user objective"):
        UserObjective(**({"name": "loss", "unit": "nats"} | wrong))


def test_shares_are_asked_only_of_objectives_that_have_them(tmp_path, third_party):
    config = CONFIG.model_copy(update={"tactic": "multi_fidelity", "partial_share": 0.5})
    with gnomon.Study(config, tmp_path / "whole") as study:
        assert {trial.share for trial in study.ask()} == {1.0}
    told = [UserObjective("accuracy", "percent", divisible=True)]
    with gnomon.Study(config, tmp_path / "shares", user_objectives=told) as study:
        assert {trial.share for trial in study.ask()} == {1.0, 0.5}


def test_what_is_asked_stays_open_when_the_others_leave_less_than_a_validation(tmp_path, third_party):
    config = CONFIG.model_copy(update={"tactic": "alternating", "population": 3, "budget": 3})
    told = [UserObjective("accuracy", "percent", divisible=True)]
    with gnomon.Study(config, tmp_path / "run", user_objectives=told) as study:
        first, *others = study.ask()
        assert [trial.share for trial in (first, *others)] == [0.5, 1.0, 0.5, 1.0]
        for trial in others:
            study.tell(trial, accuracy=90.0)
        assert study.ask() == (first,)
        study.tell(first, accuracy=90.0)
        assert study.done
        assert study.run.cost == 3.0


@pytest.mark.slow
def test_latency_comes_from_the_profile_and_another_profile_is_another_run(tmp_path):
    from gnomon.lut import shipped_profiles

    first, second = (gnomon.load_profile(n) for n in shipped_profiles()[:9] if n.startswith("fashion_mnist/"))
    config = CONFIG.model_copy(update={"objectives": ("accuracy", "latency"), "tactic": "random"})
    with gnomon.Study(config, tmp_path / "run", profile=first) as study:
        trial = study.ask()[0]
        evaluation = study.tell(trial, accuracy=90.0)
    assert evaluation.values["latency"] == pytest.approx(first.latency.value_us([trial.indices])[0])
    with pytest.raises(RunMismatch, match=r"provenance\.profile\.sha256"):
        gnomon.Study(config, tmp_path / "run", profile=second)


def test_what_was_told_is_on_disk_at_once(tmp_path, study):
    trial = study.ask()[3]
    study.tell(trial, accuracy=90.0, seconds=12.5)
    line = json.loads((tmp_path / "run" / "evaluations.jsonl").read_text())
    assert (line["position"], line["order"], line["seconds"]) == (3, 0, 12.5)
