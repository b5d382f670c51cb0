"""Runs that were stopped, damaged or edited, beyond what test_run.py does to one of the default tactic.

A journal cut at any byte is a journal of whole lines (tests/profilers/test_journal.py): a tactic need only go on from
each kind of cut.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace

import pytest

from gnomon.outputs import OutputUnusable
from gnomon.profilers.testing import sign_journal
from gnomon.search import SearchConfig, load_run
from gnomon.search.errors import NothingMeasured, RunDamaged
from gnomon.search.tactic import TACTICS
from gnomon.search.testing.contracts import AnalyticSupernet, fake_context
from gnomon.supernets import load_space

CONFIG = SearchConfig(
    space="fashion_mnist",
    objectives=("accuracy", "macs"),
    budget=13,
    population=5,
    inner_evaluations=60,
    partial_share=1.0,
)
SETTINGS = {
    "gnomon": {},
    "gnomon-partial": {"partial_share": 0.1},
    "random": {"tactic": "random"},
    "evolutionary": {"tactic": "evolutionary"},
    "linas-svr": {"tactic": "linas", "surrogate": "svr"},
    "linas-gp": {"tactic": "linas", "surrogate": "gp", "constraints": ("macs<=2M",)},
    "multi_fidelity": {"tactic": "multi_fidelity", "population": 4, "partial_share": 0.25},
}
ALL_TACTICS = """
import sys
from pathlib import Path
from gnomon.search import SearchConfig, search_in_context
from gnomon.search.testing.contracts import fake_context
folder, text, *tactics = sys.argv[1:]
config = SearchConfig.model_validate_json(text)
for tactic in tactics:
    changed = config.model_copy(update={"tactic": tactic})
    search_in_context(fake_context(), changed, Path(folder) / tactic, provenance={})
"""
SMALL_DISK = """
import resource, sys
from pathlib import Path
from gnomon.search import SearchConfig, search_in_context
from gnomon.outputs import OutputUnusable
from gnomon.search.testing.contracts import fake_context
resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))
try:
    search_in_context(fake_context(), SearchConfig.model_validate_json(sys.argv[2]), Path(sys.argv[1]), provenance={})
except OutputUnusable as error:
    print(error)
"""


@pytest.fixture
def copy(tmp_path, whole):
    shutil.copytree(whole.folder, tmp_path / "run")
    return tmp_path / "run"


def rewrite(folder, change):
    """Apply `change` to the parsed lines of a run's evaluations."""
    path = folder / "evaluations.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(record) + "\n" for record in change(records)))
    sign_journal(path)


def test_every_tactic_is_cut():
    assert {change.get("tactic", CONFIG.tactic) for change in SETTINGS.values()} >= set(TACTICS.names())


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.filterwarnings("default::gnomon.profilers.journal.TornLine")
def test_cut_runs_go_on_to_the_same_trajectory(tmp_path, third_party, name, search, trajectory):
    config = CONFIG.model_copy(update=SETTINGS[name])
    run = search(tmp_path / "run", config)
    path = tmp_path / "run" / "evaluations.jsonl"
    content = path.read_bytes()
    end_of_line = content.index(b"\n", len(content) // 3) + 1
    for size in (0, end_of_line - 1, end_of_line, len(content) * 9 // 13, len(content) - 1):
        path.write_bytes(content[:size])
        assert trajectory(search(tmp_path / "run", config)) == trajectory(run)


@pytest.fixture(scope="module")
def here(tmp_path_factory, search):
    """A run of every tactic in this process, and the configuration but for the tactic."""
    config, folder = CONFIG.model_copy(update={"partial_share": 0.1}), tmp_path_factory.mktemp("here")
    runs = {name: search(folder / name, config.model_copy(update={"tactic": name})) for name in TACTICS.names()}
    return config, runs


@pytest.mark.slow
@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_the_same_seed_measures_the_same_in_every_process(tmp_path, here, hash_seed, trajectory):
    config, runs = here
    command = [sys.executable, "-c", ALL_TACTICS, str(tmp_path), config.model_dump_json(), *TACTICS.names()]
    subprocess.run(command, env=os.environ | {"PYTHONHASHSEED": hash_seed}, check=True)
    for tactic in TACTICS.names():
        assert trajectory(load_run(tmp_path / tactic)) == trajectory(runs[tactic])


@pytest.mark.slow
def test_a_finished_run_is_given_back_without_measuring(copy, whole, search):
    context = replace(fake_context(), supernet=Unplugged(load_space("fashion_mnist")))
    assert search(copy, context=context).evaluations == whole.evaluations


@dataclass(frozen=True)
class Unplugged(AnalyticSupernet):
    """Fails as a missing file would."""

    def evaluate(self, architecture, split, share=1.0, *, precision="fp32"):
        raise FileNotFoundError("no weights at hand")


@pytest.mark.slow
@pytest.mark.filterwarnings("default::gnomon.profilers.journal.TornLine")
def test_a_full_disk_is_said_and_the_run_goes_on_after(tmp_path, whole, search, trajectory):
    command = [sys.executable, "-c", SMALL_DISK, str(tmp_path / "run"), CONFIG.model_dump_json()]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "cannot write the run folder" in said
    assert 0 < len(load_run(tmp_path / "run").evaluations) < 13
    assert trajectory(search(tmp_path / "run")) == trajectory(whole)


@pytest.mark.slow
def test_a_kill_while_the_description_is_written_leaves_a_folder_that_starts(tmp_path, whole, search, trajectory):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "lock").touch()
    (tmp_path / "run" / ".run.json.k3x9.tmp").write_text('{"schema": "gno')
    assert trajectory(search(tmp_path / "run")) == trajectory(whole)


@pytest.mark.slow
def test_force_replaces_a_run_and_nothing_else(copy, search):
    (copy / "notes.txt").write_text("precious")
    run = search(copy, CONFIG.model_copy(update={"seed": 9}), force=True)
    assert load_run(copy) == run
    assert (copy / "notes.txt").read_text() == "precious"


def test_force_does_not_empty_a_folder_that_holds_no_run(tmp_path, search):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(OutputUnusable, match=r"thesis\.tex"):
        search(tmp_path, force=True)
    assert (tmp_path / "thesis.tex").read_text() == "precious"


@pytest.mark.slow
def test_force_replaces_a_run_whose_description_is_damaged(copy, whole, search, trajectory):
    (copy / "run.json").write_text("{")
    with pytest.raises(RunDamaged, match=r"run\.json"):
        search(copy)
    assert trajectory(search(copy, force=True)) == trajectory(whole)


@pytest.mark.parametrize("line", [1, 4, 12])
def test_edited_architectures_are_found_in_whole_rounds_too(copy, line, search):
    rewrite(copy, lambda records: [*records[:line], records[line] | {"indices": [0] * 26}, *records[line + 1 :]])
    for use in (load_run, search):
        with pytest.raises(RunDamaged, match=f"line {line + 1}") as raised:
            use(copy)
        assert raised.value.line_number == line + 1


def test_edited_rounds_are_found(copy, search):
    rewrite(copy, lambda records: [*records[:4], records[4] | {"round": 1}, *records[5:]])
    with pytest.raises(RunDamaged, match="line 5") as raised:
        search(copy)
    assert raised.value.line_number == 5


@pytest.mark.parametrize(
    ("line", "edit", "said"),
    [
        (3, {"position": 2}, "position 2 of round 0 repeats evaluation 2"),
        (3, {"position": 5}, "position 5 is outside a round of 5"),
        (3, {"size": 4}, "round 0 has 5 evaluations by its other lines, 4 by this"),
        (6, {"round": 2}, "evaluation 6 belongs to round 1, found 2"),
        (3, {"share": 0.0}, "share"),
        (3, {"share": 1.5}, "share"),
        (3, {"failed": "lost"}, "expected evaluation 3 of no objective, as it failed"),
        (3, {"values": {}}, "expected evaluation 3 of accuracy, macs, found 3 of none"),
        (3, {"expected": {"latency": [1.0, None]}}, "expected values of latency"),
        (3, {"expected": {"accuracy": 90.0}}, "expected"),
        (3, {"position": None}, "position"),
    ],
)
def test_edited_lines_are_named_with_what_is_wrong(copy, line, edit, said, search):
    rewrite(copy, lambda records: [*records[:line], records[line] | edit, *records[line + 1 :]])
    for use in (load_run, search):
        with pytest.raises(RunDamaged, match=f"line {line + 1}: ") as raised:
            use(copy)
        assert said in str(raised.value)
        assert raised.value.line_number == line + 1


def test_an_architecture_copied_into_another_round_is_found(copy):
    same = ("id", "indices")
    rewrite(copy, lambda records: [*records[:7], records[7] | {f: records[1][f] for f in same}, *records[8:]])
    with pytest.raises(RunDamaged, match=r"line 8: architecture \w{8} is measured again after evaluation 1"):
        load_run(copy)


def test_a_share_edited_in_the_last_round_is_not_continued(copy, search):
    rewrite(copy, lambda records: [*records[:11], records[11] | {"share": 0.5}])
    assert len(load_run(copy).partial_evaluations) == 1
    with pytest.raises(RunDamaged, match="evaluation 11 of the run is not what its settings lead to"):
        search(copy)


def test_lost_lines_are_found(copy, search):
    rewrite(copy, lambda records: [*records[:6], *records[7:]])
    with pytest.raises(RunDamaged, match="line 7: expected evaluation 6"):
        search(copy)


def test_more_evaluations_than_the_budget_are_found(copy):
    rewrite(copy, lambda records: [*records, records[-1] | {"order": 13}])
    with pytest.raises(RunDamaged, match="line 14"):
        load_run(copy)


def test_more_than_the_budget_of_the_description_is_found(copy):
    description = json.loads((copy / "run.json").read_text())
    description["config"]["budget"] = 12
    (copy / "run.json").write_text(json.dumps(description))
    with pytest.raises(RunDamaged, match="line 13: evaluation 12 is beyond the budget of 12: 13 are spent with it"):
        load_run(copy)


def test_an_unstarted_run_has_no_front(copy):
    (copy / "evaluations.jsonl").unlink()
    run = load_run(copy)
    assert run.hypervolume_trace() == ()
    with pytest.raises(NothingMeasured, match="measured nothing yet"):
        run.front()


def test_no_folder_is_no_run(tmp_path):
    with pytest.raises(RunDamaged, match="gnomon search --out"):
        load_run(tmp_path / "nowhere")


@pytest.mark.parametrize("spelling", ["ofa_mobilenetv3:resolution=128,width=1.0", "ofa_mobilenetv3:resolution=128"])
def test_the_front_speaks_of_the_space_however_it_was_spelled(tmp_path, spelling, search):
    context = fake_context(spelling)
    run = search(tmp_path / "run", CONFIG.model_copy(update={"space": spelling, "tactic": "random"}), context)
    ids = {evaluation.id for evaluation in run.evaluations}
    assert {architecture.id for architecture in run.front().architectures} <= ids
    assert context.space.layers(run.front().knee())
    assert load_run(tmp_path / "run") == run
