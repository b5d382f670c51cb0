"""`gnomon runs export`: a run in the formats of others."""

import csv
import json


def test_runs_are_exported(gnomon, finished_run, tmp_path):
    outcome = gnomon("runs", "export", finished_run, "--out", tmp_path / "deep" / "t.csv")
    assert (outcome.code, outcome.out) == (0, f"saved    {tmp_path / 'deep' / 't.csv'}: 6 evaluations\n")
    with (tmp_path / "deep" / "t.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["order"] for row in rows] == list("012345")
    assert gnomon("runs", "export", finished_run, "--out", tmp_path / "t", "--format", "parquet").code == 0
    assert (tmp_path / "t").read_bytes().startswith(b"PAR1")


def test_bad_exports(gnomon, finished_run, tmp_path):
    (tmp_path / "t.csv").write_text("precious")
    for arguments, said in (
        ((finished_run, "--out", tmp_path / "t.csv"), "is not an exported run that Gnomon wrote; choose another --out"),
        ((finished_run, "--out", tmp_path / "t.xlsx"), "--format csv|optuna|parquet"),
        ((finished_run, "--out", tmp_path / "t.csv" / "u.csv"), "cannot write"),
        ((tmp_path, "--out", tmp_path / "u.csv"), "no run in"),
    ):
        outcome = gnomon("runs", "export", *arguments)
        assert outcome.code == 2
        assert said in outcome.err
    assert (tmp_path / "t.csv").read_text() == "precious"


def test_a_missing_package_names_its_extra(gnomon, finished_run, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "optuna", None)
    outcome = gnomon("runs", "export", finished_run, "--out", tmp_path / "study.db")
    assert outcome.code == 3
    assert "pip install 'optuna>=4'" in outcome.err
    assert not list(tmp_path.iterdir())


def test_what_is_exported_is_what_pareto_shows(gnomon, finished_run, tmp_path):
    gnomon("runs", "export", finished_run, "--out", tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="") as file:
        best = {row["id"] for row in csv.DictReader(file) if json.loads(row["on_front"])}
    assert best == {row["id"] for row in gnomon("pareto", finished_run, "--json").json["front"]}
