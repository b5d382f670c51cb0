"""What `benchmarks/faults.py --only fuzz` relies on: its small files are good, its watch sees, its inputs get far."""

import json
import subprocess
import sys
from pathlib import Path

import fault_trials
import numpy as np
import pytest
from fault_trials.arguments import hostile_arguments, verbs_of
from fault_trials.built import built_lines, in_place_of
from fault_trials.command import Tally
from fault_trials.fuzz import fuzz_reader, hostile_of
from fault_trials.inputs import retold
from fault_trials.readers import Reader, readers
from fault_trials.trial import tried
from fault_trials.watch import Watch
from faults import added_up, keep

from gnomon.cli import main
from gnomon.supernets.registry import load_space

FAST = (
    "kernel profile",
    "results",
    "plan",
    "settings",
    "fleet",
    "architectures",
    "CSV table",
    "YAML table",
    "bundle",
    "ONNX model",
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("trials")


@pytest.fixture(scope="module")
def found(place):
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(place))  # its removal takes away what the trial's own space put there
        yield readers(place)
    load_space.cache_clear()


@pytest.fixture(scope="module")
def watch(place):
    return Watch(place)  # one a process: what Python audits cannot be unheard


def test_every_good_file_is_read_and_all_that_it_leads_to(place, found):
    for name, reader in found.items():
        for content in reader.contents[:1]:
            (place / reader.file).write_bytes(content)
            assert reader.read(place / reader.file) is not None, name
            assert reader.further is None or reader.further(place / reader.file) is not None, name


def test_what_is_published_of_a_profile_is_what_is_built(place, found):
    reader = found["profile"]
    for number, record in enumerate(built_lines("profile", 20, 0)):
        content = in_place_of(reader.contents[0], record, number, lambda: False)
        assert len(content.splitlines()) >= len(reader.contents[0].splitlines())
        record.pop("crc32", None)
        assert any(json.loads(line).items() >= record.items() for line in content.splitlines()), record


@pytest.mark.parametrize("name", FAST)
def test_hostile_files_are_refused_or_read(place, found, watch, name):
    tally = fuzz_reader(name, found[name], 40, place, np.random.default_rng(1), watch)
    assert not tally.wrong
    assert tally.counts.total() == 40


def test_a_reader_that_writes_elsewhere_runs_code_or_starts_a_process_is_wrong(tmp_path, place, watch):
    def misbehaving(path):
        if path.read_bytes().startswith(b"space"):  # the good file
            return 1
        (tmp_path / "elsewhere").write_text("x")
        eval("1 + 1")
        subprocess.run(["true"], check=True)
        return 2

    reader = Reader([b'space = "a"\n'], "e.toml", misbehaving)
    tally = fuzz_reader("misbehaving", reader, 30, place, np.random.default_rng(0), watch)
    assert 0 < tally.counts["did what no reader does"] <= tally.counts["read"]
    said = " ".join(tally.wrong)
    assert "elsewhere" in said
    assert "ran code" in said
    assert "subprocess.Popen" in said


def test_what_is_done_inside_the_folder_of_a_trial_is_not_wrong(place, watch):
    with watch.watching():
        (place / "inner").mkdir()
        (place / "inner" / "file").write_text("x")
        (place / "inner" / "file").rename(place / "inner" / "other")
        (place / "inner" / "other").unlink()
        (place / "inner").rmdir()
    assert watch.taken() == ""


def test_an_error_that_is_not_ours_is_wrong():
    tally = Tally("")
    for shown in ("one", "another of the kind"):
        tried(tally, lambda: {}["absent"], shown)
    assert tally.counts == {"raised": 2}
    assert len(tally.wrong) == 1
    assert tally.wrong[0].startswith("KeyError at test_fuzz.py")


ENDLESS = """
from fault_trials.command import Tally
from fault_trials.trial import tried
tally = Tally("")
tried(tally, lambda: [None for _ in iter(int, 1)], "endless", limit_s=0.05)
print(dict(tally.counts), *tally.wrong)
"""


def test_what_takes_too_long_is_wrong():
    # In a process of its own, as trials are: the signal may reach a thread that a runtime started in this one.
    benchmarks = Path(fault_trials.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", ENDLESS], cwd=benchmarks, capture_output=True, text=True, timeout=120)
    assert done.stdout.startswith("{'hung': 1} more than 0.05 s of processor time"), done.stderr


def test_a_changed_text_keeps_most_of_its_words():
    content = b'space = "fashion_mnist"\nbudget = 10\n'
    changed = [retold(content, np.random.default_rng(seed)) for seed in range(50)]
    assert sum(b"fashion_mnist" in one for one in changed) > 25
    assert len(set(changed)) > 25


def test_a_file_is_changed_as_what_it_is():
    assert [hostile_of(content).__name__ for content in (b"{}", b"PK", b"a = 1")] == [
        "hostile_json",
        "hostile_bundle",
        "hostile_text",
    ]


def test_arguments_are_those_of_every_verb():
    import typer

    verbs = verbs_of(typer.main.get_command(main.app))
    words = {verb.words for verb in verbs}
    assert {("profile",), ("search",), ("lut", "merge"), ("bundle", "create"), ("runs", "export")} <= words
    typed = [hostile_arguments(verbs, np.random.default_rng(seed)) for seed in range(300)]
    assert {one[0] for one in typed if one} >= {"profile", "search", "lut", "predict", "train"}
    assert any(one[:2] == ["lut", "show"] and "p.jsonl" in one for one in typed)


def test_counts_of_several_runs_add_up(tmp_path):
    for count in (2, 3):
        tally = Tally("hostile plan")
        for _ in range(count):
            tally.add("read")
        keep(tally, tmp_path / "tallies.jsonl")
    assert [str(tally) for tally in added_up(tmp_path / "tallies.jsonl")] == [
        "hostile plan: 5 read; 0 wrong",
        "all 5: 5 read; 0 wrong",
    ]
