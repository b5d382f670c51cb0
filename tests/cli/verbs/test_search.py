"""`gnomon search` beyond one budget: going on, stopping, starting from another run, judging the predictor."""

import re
import shutil

import pytest

LINAS = ("--objectives", "accuracy,macs", "--tactic", "linas", "--population", 5, "--inner-evaluations", 60)


@pytest.fixture(scope="module")
def other_run(tmp_path_factory, of_few_images):
    """A run of the embedded super-network, predicted from its second round on."""
    from gnomon.cli.main import run

    folder = tmp_path_factory.mktemp("runs") / "laptop"
    with of_few_images():
        assert run([str(word) for word in ("search", "--out", folder, "--budget", 10, *LINAS)]) == 0
    return folder


@pytest.mark.slow
def test_the_predictor_is_judged_in_one_line_and_in_json(gnomon, other_run):
    out = gnomon("pareto", other_run).out
    assert re.search(
        r"^accuracy predictor (tau -?[01]?\.\d\d, )?RMSE \S+ percent, on 5 validations predicted", out, re.M
    )
    found = gnomon("pareto", other_run, "--json").json["predictors"]["accuracy"]
    assert found["unit"] == "percent"
    assert found["overall"]["n"] == found["rounds"]["1"]["n"] == 5
    assert found["overall"]["rmse"] > 0


def test_the_trace_has_its_cost(gnomon, other_run):
    found = gnomon("pareto", other_run, "--json").json
    assert found["trace_cost"] == [float(n) for n in range(1, 11)]
    assert len(found["trace"]) == 10
    assert (found["cost"], found["budget"], found["partial_evaluations"], found["failures"]) == (10.0, 10, 0, {})
    assert found["stopped"]["reason"] == "budget"


@pytest.mark.slow
def test_a_larger_budget_goes_on(gnomon, other_run, tmp_path):
    shutil.copytree(other_run, tmp_path / "run")
    before = (other_run / "evaluations.jsonl").read_bytes()
    outcome = gnomon("search", "--out", tmp_path / "run", "--budget", 12, *LINAS)
    assert outcome.code == 0
    assert "linas, 12 validations, cost 12 of 12" in outcome.out
    assert (tmp_path / "run" / "evaluations.jsonl").read_bytes().startswith(before)
    smaller = gnomon("search", "--out", tmp_path / "run", "--budget", 11, *LINAS)
    assert smaller.code == 2
    assert "has spent 12 full validations already" in smaller.err


def test_why_a_run_stopped_is_said(gnomon, tmp_path):
    arguments = (
        "search",
        "--objectives",
        "macs,params",
        "--tactic",
        "random",
        "--population",
        5,
        "--out",
        tmp_path / "r",
    )
    outcome = gnomon(*arguments, "--budget", 100, "--stop-gain", 50, "--patience", 7)
    assert outcome.code == 0
    assert "stopped  the last 7 full validations gained" in outcome.out
    assert "10 validations, cost 10 of 100" in outcome.out
    assert gnomon("pareto", tmp_path / "r", "--json").json["stopped"]["reason"] == "gain"
    assert "20 validations, cost 20 of 20" in gnomon(*arguments, "--budget", 20).out


@pytest.mark.slow
def test_a_search_starts_from_another_devices_run(gnomon, other_run, profile_name, tmp_path):
    outcome = gnomon("search", "--profile", profile_name, "--tactic", "random", "--budget", 2, "--from", other_run,
                     "--out", tmp_path / "run")  # fmt: skip
    assert outcome.code == 0, outcome.err
    assert "start    from run laptop: 10 of its validations count, as checkpoint, data and split agree" in outcome.out
    assert "2 validations, cost 2 of 2" in outcome.out
    assert "of 12 measured" in outcome.out
    assert "measured by the other run" in outcome.out
    found = gnomon("pareto", tmp_path / "run", "--json").json
    assert {len(row["source"]) for row in found["front"] if row["source"]} == {64}


@pytest.mark.slow
def test_another_split_takes_architectures_only_and_says_so(gnomon, other_run, tmp_path):
    arguments = ("--tactic", "random", "--budget", 2, "--split", "test", "--objectives", "accuracy,macs")
    outcome = gnomon("search", *arguments, "--from", other_run, "--out", tmp_path / "run")
    assert outcome.code == 0, outcome.err
    assert "its values do not count, as its split is validation, here it is test" in outcome.out
    assert "of 2 measured" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--space", "ofa_mobilenetv3", "--objectives", "macs,params"), "start from a run of the same space"),
        (("--from", "nowhere"), "no run in nowhere"),
    ],
)
def test_a_run_that_cannot_be_started_from(gnomon, other_run, tmp_path, arguments, said):
    outcome = gnomon("search", "--from", other_run, *arguments, "--out", tmp_path / "run")
    assert outcome.code == 2
    assert said in outcome.err
    assert not (tmp_path / "run").exists()


def test_partial_evaluations_and_failures_are_counted(gnomon):
    from pathlib import Path

    sample = Path(__file__).parents[2] / "search" / "samples" / "run_v2"
    outcome = gnomon("pareto", sample)
    assert "glimpsing, 2 validations and 8 partial evaluations on random examples, 1 failed, cost 5 of 5" in outcome.out
    found = gnomon("pareto", sample, "--json").json
    assert found["partial_evaluations"] == 8
    assert list(found["failures"].values()) == ["out of memory"]


@pytest.mark.parametrize("name", ["run_v1", "run_v2"])
def test_old_and_new_runs_are_drawn(gnomon, tmp_path, name):
    from pathlib import Path

    sample = Path(__file__).parents[2] / "search" / "samples" / name
    assert gnomon("pareto", sample, "--pick", "knee", "--plot", tmp_path / "front.svg").code == 0
    assert "<svg" in (tmp_path / "front.svg").read_text()


def test_finished_run_is_shown_again_not_repeated(gnomon, finished_run, profile_name):
    before = (finished_run / "evaluations.jsonl").read_bytes()
    arguments = ("--profile", profile_name, "--tactic", "random", "--budget", 6, "--population", 3)
    assert gnomon("search", "--out", finished_run, *arguments).code == 0
    assert (finished_run / "evaluations.jsonl").read_bytes() == before
