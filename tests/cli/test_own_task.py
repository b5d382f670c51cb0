"""A task of another package, in one file: its metric is trained for, searched, finished and exported like ours."""

import json

import pytest

from gnomon.supernets.tasks import metric_of
from gnomon.supernets.testing import TaskContract


@pytest.fixture
def trained(digits, gnomon):
    outcome = gnomon("train", "digits_net", "--epochs", 3)
    assert outcome.code == 0, outcome.err
    return outcome


class TestDigits(TaskContract):
    @pytest.fixture
    def space(self, digits):
        return digits

    @pytest.fixture
    def module(self, space):
        import digits_task

        return digits_task


def test_the_metric_is_known_without_the_data(digits):
    assert (metric_of(digits).name, metric_of(digits).unit) == ("macro_f1", "percent")


@pytest.mark.slow
def test_from_training_to_an_exported_file(trained, gnomon, tmp_path):
    evaluated = gnomon("evaluate", "digits_net", "--arch", "largest", "--json").json
    assert (evaluated["unit"], evaluated["examples"]) == ("percent", 397)
    assert 50 < evaluated["architectures"][0]["macro_f1"] < 100

    arguments = ["--space", "digits_net", "--objectives", "macro_f1,macs", "--tactic", "random", "--budget", 5]
    searched = gnomon("search", *arguments, "--population", 5, "--out", tmp_path / "run")
    assert searched.code == 0, searched.err
    assert "macro_f1 (percent)" in searched.out

    finished = gnomon("finish", tmp_path / "run", "--json")
    assert finished.code == 0, finished.err

    exported = gnomon("export", tmp_path / "run", "--pick", "best macro_f1", "--out", tmp_path / "model")
    assert exported.code == 0, exported.err
    record = json.loads((tmp_path / "model" / "model.json").read_text())
    assert "macro_f1" in json.dumps(record)
    assert "accuracy" not in record.get("metric", {})


@pytest.mark.slow
def test_training_says_how_good_the_weights_are_and_keeps_it(digits, gnomon, tmp_path):
    arguments = ["digits_net", "--epochs", 1, "--augmentation", "none", "--out", tmp_path / "w.safetensors"]
    outcome = gnomon("train", *arguments)
    assert outcome.code == 0, outcome.err
    assert outcome.out.strip() == str(tmp_path / "w.safetensors")
    record = json.loads((tmp_path / "w.json").read_text())
    assert record["result"] == {name: record["curve"][-1][name] for name in ("largest", "smallest")}
    assert f"macro_f1 on held-out data: {record['result']['largest']:.2f} largest" in outcome.err
    assert [phase["augmentation"] for phase in record["recipe"]["phases"]] == [{}]


def test_another_augmentation_than_the_training_data_knows_is_refused(digits, gnomon, tmp_path):
    outcome = gnomon("train", "digits_net", "--augmentation", "miror", "--out", tmp_path / "w.safetensors")
    assert outcome.code == 2
    assert "did you mean 'mirror'?" in outcome.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_metric_of_another_task_is_refused_with_the_right_one(trained, gnomon, tmp_path):
    outcome = gnomon("search", "--space", "digits_net", "--objectives", "accuracy,macs", "--out", tmp_path / "run")
    assert outcome.code == 2
    assert "judged by macro_f1, not by accuracy; write macro_f1 in its place" in outcome.err


def test_the_metric_without_weights_says_how_to_make_them(digits, gnomon, tmp_path):
    outcome = gnomon("search", "--space", "digits_net", "--objectives", "macro_f1,macs", "--out", tmp_path / "run")
    assert outcome.code == 2
    assert "gnomon train digits_net" in outcome.err


def test_a_task_that_nobody_has_says_how_to_write_one(gnomon, tiny, tmp_path):
    outcome = gnomon("train", "tiny")
    assert outcome.code == 2
    assert "space 'tiny' has the task 'none'" in outcome.err
