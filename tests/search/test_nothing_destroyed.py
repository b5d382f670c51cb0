"""What lies in a run's folder and is no run's is left as it is, and what is damaged is said."""

import os

import pytest

from gnomon.cli.main import run as gnomon
from gnomon.outputs import OutputUnusable
from gnomon.profilers.journal import TornLine
from gnomon.search import SearchConfig, load_run, search_in_context
from gnomon.search.errors import RunDamaged
from gnomon.search.runs.files.folder import foreign_in_run

CONFIG = SearchConfig(space="six", population=2, budget=4, tactic="random")


@pytest.fixture
def search(six_context, tmp_path):
    def searched(**options):
        return search_in_context(six_context, CONFIG, tmp_path / "run", provenance={}, **options)

    return searched


@pytest.fixture
def journal(search, tmp_path):
    search()
    return tmp_path / "run" / "evaluations.jsonl"


@pytest.mark.parametrize("victim", ["my-only-secret-line\n", None])
def test_a_linked_journal_is_not_written_through(search, journal, tmp_path, victim):
    (tmp_path / "victim").write_text(victim or journal.read_text())
    before = (tmp_path / "victim").read_bytes()
    journal.unlink()
    journal.symlink_to(tmp_path / "victim")
    with pytest.raises((OutputUnusable, RunDamaged)):
        search()
    assert (tmp_path / "victim").read_bytes() == before
    assert journal.is_symlink()


@pytest.mark.parametrize("noun", ["a folder", "a named pipe"])
def test_what_is_no_file_is_refused_at_once_by_who_reads_and_who_writes(search, journal, noun):
    journal.unlink()
    {"a folder": os.mkdir, "a named pipe": os.mkfifo}[noun](journal)
    for use in (search, lambda: load_run(journal.parent)):
        with pytest.raises(RunDamaged, match=f"is {noun}, and a regular file was expected"):
            use()


def test_a_damaged_last_line_is_refused_like_any_and_kept(search, journal):
    content = journal.read_bytes()
    journal.write_bytes(content[:-10] + b"!" + content[-9:])
    damaged = journal.read_bytes()
    for use in (search, lambda: load_run(journal.parent)):
        with pytest.raises(RunDamaged, match="line 4"):
            use()
    assert journal.read_bytes() == damaged


def test_a_torn_last_line_is_dropped_with_a_warning_on_stderr_in_one_line(search, journal, capsys):
    whole = journal.read_bytes()
    journal.write_bytes(whole[:-5])
    with pytest.warns(TornLine, match="line 4: dropped a torn last line"):
        assert len(load_run(journal.parent).evaluations) == 3
    assert gnomon(["pareto", str(journal.parent), "--json"]) in (0, 2)  # the space of this test is not installed
    said = capsys.readouterr().err.splitlines()
    assert [line for line in said if "torn" in line] == [line for line in said if line.startswith("warning: ")]
    assert any(line.startswith(f"warning: {journal}, line 4: dropped a torn last line") for line in said)
    with pytest.warns(TornLine):
        search()
    assert [line.split(b'"elapsed_s"')[0] for line in journal.read_bytes().splitlines()] == [
        line.split(b'"elapsed_s"')[0] for line in whole.splitlines()
    ]


FOREIGN = {
    "thesis.txt": "years",
    "run.json": '{"schema": "of another program"}',
    "lock": "years",
    "lockpicking.txt": "years",
}


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("name", FOREIGN)
def test_a_folder_of_something_else_is_refused_without_a_trace(search, tmp_path, name, force):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / name).write_text(FOREIGN[name])
    (tmp_path / "run" / "evaluations.jsonl").write_text("years")
    with pytest.raises((OutputUnusable, RunDamaged), match=r"run"):
        search(force=force)
    held = {path.name: path.read_text() for path in (tmp_path / "run").iterdir() if path.stat().st_size}
    assert held == {name: FOREIGN[name], "evaluations.jsonl": "years"}
    assert name == "run.json" or {path.name for path in (tmp_path / "run").iterdir()} == set(held)


def test_force_replaces_a_run_and_leaves_what_else_is_there(search, journal):
    (journal.parent / "notes.txt").write_text("mine")
    assert foreign_in_run(journal.parent) == "holds notes.txt, which no run wrote"
    search(force=True)
    assert (journal.parent / "notes.txt").read_text() == "mine"
    (journal.parent / "notes.txt").unlink()
    assert foreign_in_run(journal.parent) == ""
