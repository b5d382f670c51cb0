"""Bundles on the command line; what is refused, and why, is in tests/lut and tests/profilers."""

import re

import pytest

from gnomon.lut.kernels.measuring import build
from gnomon.lut.kernels.sample import sequences


@pytest.fixture
def folder(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_a_bundle_is_made_run_here_and_imported(gnomon, folder):
    made = gnomon("bundle", "create", "--space", "tiny", "--networks", "10", "--time-cap-s", "5", "--out", "x.zip")
    assert made.code == 0, made.err
    assert "python3 gnomon-worker.pyz" in made.out
    ran = gnomon("bundle", "run", "x.zip", "--backend", "fake", "--threads", "2")
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[-1] == "next     gnomon bundle import x.zip x/results-fake-t2.jsonl"
    imported = gnomon("bundle", "import", "x.zip", "x/results-fake-t2.jsonl", "--out", "p.jsonl")
    assert imported.code == 0, imported.err
    assert "fake 1.0, fp32, batch 1, 2 threads" in imported.out
    assert gnomon("lut", "show", "p.jsonl").code == 0


def test_a_dry_run_says_how_much_there_would_be_and_writes_nothing(gnomon, folder):
    dry = gnomon("bundle", "create", "--space", "fashion_mnist", "--out", "x.zip", "--dry-run")
    assert dry.code == 0
    assert re.match(r"models   154 layers and 30 whole networks, about 1\d MiB\ntime ", dry.out)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["create", "--space", "nowhere", "--out", "x.zip"], "nowhere"),
        (["create", "--space", "tiny", "--precision", "fp7", "--out", "x.zip"], "precision is 'fp7'"),
        (["run", "x.zip"], "not a whole zip file"),
        (["import", "x.zip", "r.jsonl"], "not a whole zip file"),
    ],
)
def test_bad_input_is_one_sentence(gnomon, folder, arguments, message):
    (folder / "x.zip").write_text("no zip")
    outcome = gnomon("bundle", *arguments)
    assert outcome.code == 2
    assert outcome.err.startswith("error: ")
    assert message in outcome.err
    assert len(outcome.err.splitlines()) == 1


@pytest.mark.slow
def test_the_first_trip_for_kernels_brings_the_second_bundle(gnomon, folder, monkeypatch):
    monkeypatch.setattr(build, "FAMILIES", (sequences.recurrent,))  # the smallest of them
    made = gnomon("bundle", "create", "--kernels", "--networks", 10, "--out", "k.zip")
    assert made.code == 0, made.err
    assert "gnomon bundle import k.zip GRAPHS" in made.out
    ran = gnomon("bundle", "run", "k.zip", "--backend", "onnxruntime")
    assert ran.out.splitlines()[-1] == "next     gnomon bundle import k.zip k/graphs-onnxruntime-t1.zip"
    imported = gnomon("bundle", "import", "k.zip", "k/graphs-onnxruntime-t1.zip")
    assert imported.code == 0, imported.err
    assert "to time, made by onnxruntime there" in imported.out
    assert (folder / "k-onnxruntime-t1.zip").exists()


@pytest.mark.parametrize("option", ["--precision=int8", "--space=tiny", "--networks-only"])
def test_a_bundle_of_kernels_is_of_no_space(gnomon, folder, option):
    assert gnomon("bundle", "create", "--kernels", option, "--out", "k.zip").code == 2
    assert list(folder.iterdir()) == []


def test_a_dry_run_for_kernels_writes_nothing(gnomon, folder):
    dry = gnomon("bundle", "create", "--kernels", "--networks", 12, "--out", "k.zip", "--dry-run")
    assert "of 12 sampled networks" in dry.out
    assert list(folder.iterdir()) == []
