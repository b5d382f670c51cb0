"""The options of a long verb as a file."""

import tomllib

import pytest

LONG = (("profile",), ("train",), ("evaluate",), ("finish",), ("export",), ("build",), ("bundle", "create"))


@pytest.mark.parametrize("verb", LONG, ids=" ".join)
def test_every_long_verb_takes_and_writes_a_file(gnomon, verb):
    shown = gnomon(*verb, "--help").out
    assert "--config" in shown
    assert "--save-config" in shown


def test_what_was_typed_is_saved_and_nothing_is_run(gnomon, tmp_path):
    path = tmp_path / "profile.toml"
    typed = ("fashion_mnist", "--threads", "2", "--time-cap", "45m", "--networks-only", "--out", tmp_path / "p.jsonl")
    assert gnomon("profile", *typed, "--save-config", path, "--force").out.strip() == str(path)
    assert tomllib.loads(path.read_text(encoding="utf-8")) == {
        "space": "fashion_mnist",
        "threads": 2,
        "time_cap_s": 2700.0,
        "networks_only": True,
        "out": str(tmp_path / "p.jsonl"),
    }
    assert not (tmp_path / "p.jsonl").exists()


def test_a_file_gives_what_is_not_typed(gnomon, tmp_path):
    path = tmp_path / "evaluate.toml"
    path.write_text('space = "fashion_mnist"\narch = ["smallest", "nothing"]\nsplit = "validation"\n', encoding="utf-8")
    assert "'nothing' is no architecture" in gnomon("evaluate", "--config", path).err
    again = tmp_path / "again.toml"
    typed = ("--config", path, "--split", "test", "--arch", "largest", "--save-config", again)
    assert gnomon("evaluate", *typed).code == 0
    assert tomllib.loads(again.read_text(encoding="utf-8")) == {
        "space": "fashion_mnist",
        "arch": ["largest"],
        "split": "test",
    }


def test_a_required_option_may_come_from_the_file(gnomon, tmp_path):
    path = tmp_path / "bundle.toml"
    path.write_text(f'out = "{tmp_path / "b.zip"}"\nnetworks = "0.01k"\n', encoding="utf-8")
    outcome = gnomon("bundle", "create", "--config", path, "--dry-run")
    assert outcome.code == 0, outcome.err
    assert "and 10 whole networks" in outcome.out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("thraeds = 2", "no option 'thraeds'"),
        ("thraeds = 2", "did you mean 'threads'?"),
        ("threads = ", "cannot read options"),
        ("[threads]\na = 1", "expected text, a number"),
        ("threads = 1979-05-27", "expected text, a number"),
        ('threads = "many"', "no whole number"),
        ("threads = 0", "at least 1"),
    ],
)
def test_a_file_that_says_what_cannot_be_is_refused_in_one_line(gnomon, tmp_path, content, said):
    path = tmp_path / "profile.toml"
    path.write_text(content, encoding="utf-8")
    outcome = gnomon("profile", "--config", path, "--out", tmp_path / "p.jsonl")
    assert outcome.code == 2
    assert said in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1


def test_only_a_file_of_the_same_verb_is_replaced(gnomon, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("threads = 1\n", encoding="utf-8")
    outcome = gnomon("profile", "--save-config", path, "--force")
    assert outcome.code == 2
    assert path.read_text(encoding="utf-8") == "threads = 1\n"
