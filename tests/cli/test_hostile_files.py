"""Files that no Gnomon wrote so: every reader names the file, and what of it is wrong, in one line; nothing hangs."""

import shutil

import pytest

from gnomon.lut.profile_file.store import SHIPPED

DEEP = '{"a":' * 100_000 + "1" + "}" * 100_000 + "\n"


@pytest.fixture
def run_copy(finished_run, tmp_path):
    return shutil.copytree(finished_run, tmp_path / "run")


@pytest.fixture
def profile_copy(profile_name, tmp_path):
    return shutil.copy(SHIPPED / f"{profile_name}.jsonl", tmp_path / "copy.jsonl")


def the_error(outcome):
    """Return the one line of a refusal."""
    assert outcome.code == 2, (outcome.out, outcome.err)
    (line,) = [line for line in outcome.err.splitlines() if line]
    assert line.startswith("error: ")
    return line


@pytest.mark.parametrize("name", ["run.json", "evaluations.jsonl", "stop.json"])
def test_json_nested_too_deeply_is_refused_in_a_run(gnomon, run_copy, name):
    (run_copy / name).write_text(DEEP)
    assert name in the_error(gnomon("pareto", run_copy))


def test_json_nested_too_deeply_is_refused_as_a_profile(gnomon, tmp_path):
    (tmp_path / "deep.jsonl").write_text(DEEP)
    (tmp_path / "deeper.jsonl").write_text('{"schema":"gnomon.profile","record":' + DEEP.strip() + "}\n")
    for name in ("deep.jsonl", "deeper.jsonl"):
        for verb in (("lut", "show"), ("lut", "check"), ("predict",)):
            assert f"{name}, line 1" in the_error(gnomon(*verb, tmp_path / name))
