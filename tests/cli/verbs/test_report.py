"""`gnomon report`: one HTML file about profiles and runs."""

import shutil

from gnomon.search.runs.files.folder import foreign_in_run


def test_a_report_of_a_profile_is_written_once_and_replaced_when_asked(gnomon, profile_name, tmp_path):
    out = tmp_path / "deep" / "r.html"
    written = gnomon("report", profile_name, "-o", out)
    assert written.code == 0
    assert written.out == f"report   {out}\n"
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    again = gnomon("report", profile_name, "-o", out)
    assert again.code == 2
    assert "replace it with --force" in again.err
    assert gnomon("report", profile_name, "-o", out, "--force").code == 0


def test_what_is_neither_profile_nor_run_is_an_error_in_one_line(gnomon, tmp_path):
    outcome = gnomon("report", "nowhere", "-o", tmp_path / "r.html")
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert "no profile at nowhere" in outcome.err
    assert not (tmp_path / "r.html").exists()


def test_a_search_leaves_its_report_in_the_run_folder(finished_run):
    assert str(finished_run) in (finished_run / "report.html").read_text(encoding="utf-8")


def test_a_report_that_cannot_be_written_fails_no_verb(gnomon, finished_run, profile_name, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(finished_run, run)
    (run / "report.html").write_text("my notes")
    arguments = ("--profile", profile_name, "--out", run, "--tactic", "random", "--budget", 6, "--population", 3)
    again = gnomon("search", *arguments)
    assert again.code == 0
    assert f"no report: {run / 'report.html'} is not a report that Gnomon wrote" in again.err
    assert (run / "report.html").read_text() == "my notes"
    assert foreign_in_run(run) == "holds report.html, which no run wrote"
    assert foreign_in_run(finished_run) == ""


def test_a_profile_has_its_report_beside_it(tiny, gnomon, tmp_path):
    made = gnomon("profile", "tiny", "--backend", "fake", "--networks", 12, "--out", tmp_path / "p.jsonl")
    assert made.code == 0
    assert f"report   {tmp_path / 'p.html'}" in made.out
    assert "Predicted against measured" in (tmp_path / "p.html").read_text(encoding="utf-8")
