import json
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from gnomon.outputs import OutputUnusable
from gnomon.profilers.testing import sign_journal
from gnomon.search import SearchConfig, load_run, search_in_context
from gnomon.search.archive import first_occurrences
from gnomon.search.errors import Infeasible, RunDamaged, RunLocked, RunMismatch
from gnomon.search.tactic import TACTICS
from gnomon.search.testing.contracts import AnalyticSupernet, fake_context
from gnomon.supernets import Architecture

SAMPLE = Path(__file__).parents[1] / "samples" / "run_v1"
CONFIG = SearchConfig(
    space="fashion_mnist",
    objectives=("accuracy", "macs"),
    budget=17,
    population=5,
    inner_evaluations=60,
    partial_share=1.0,  # whole validations only: test_gnomon.py has partial evaluations
)
FLOOR = 5.05e8  # percent x MACs; seeds 0 to 2 reach 5.17e8 to 5.23e8, random sampling at most 4.90e8
SCRIPT = """
import sys
from pathlib import Path
from gnomon.search import SearchConfig, search_in_context
from gnomon.search.testing.contracts import fake_context
config = SearchConfig.model_validate_json(sys.argv[2])
search_in_context(fake_context(seconds=float(sys.argv[3])), config, Path(sys.argv[1]), provenance={})
"""


def with_tactic(tactic):
    return CONFIG.model_copy(update={"tactic": tactic})


@pytest.mark.parametrize("tactic", TACTICS.names())
def test_budget_is_exact_and_nothing_is_measured_twice(tmp_path, tactic, search):
    run = search(tmp_path / "run", with_tactic(tactic))
    rows = np.array([evaluation.indices for evaluation in run.evaluations])
    assert len(rows) == 17
    assert first_occurrences(fake_context().space.canonical(rows)).all()
    rounds = [evaluation.round for evaluation in run.evaluations]
    first = 5 if tactic != "gnomon" else 2  # what is left of the opening that a budget of 17 has
    assert rounds == [0] * 5 + [1] * first + [2] * 5 + [3] * (12 - first - 5)


def test_what_comes_back_is_on_disk(whole):
    assert load_run(whole.folder) == whole


def test_front_is_of_measured_architectures(whole):
    measured = {(e.indices, tuple(e.values.values())) for e in whole.evaluations}
    front = whole.front()
    assert {(a.indices, v) for a, v in zip(front.architectures, front.values)} <= measured
    trace = whole.hypervolume_trace()
    assert len(trace) == 17
    assert list(trace) == sorted(trace)


def test_front_keeps_the_constraints(tmp_path, search):
    config = CONFIG.model_copy(update={"constraints": ("macs<=2M",)})
    assert all(values[1] <= 2e6 for values in search(tmp_path / "run", config).front().values)


def test_constraint_that_nothing_keeps_names_the_nearest(tmp_path, search):
    config = CONFIG.model_copy(update={"constraints": ("macs<=1",)})
    run = search(tmp_path / "run", config)
    with pytest.raises(Infeasible, match="none of 17") as raised:
        run.front()
    assert raised.value.nearest.indices == min(run.evaluations, key=lambda e: e.values["macs"]).indices


@pytest.mark.slow
def test_linas_beats_random_sampling(tmp_path, search):
    def final(tactic, seed):
        config = CONFIG.model_copy(
            update={"tactic": tactic, "seed": seed, "budget": 40, "population": 10, "inner_evaluations": 400}
        )
        return search(tmp_path / f"{tactic}{seed}", config).hypervolume_trace()[-1]

    linas, drawn = ([final(tactic, seed) for seed in range(3)] for tactic in ("linas", "random"))
    assert min(linas) > max(drawn)
    assert min(linas) > FLOOR


def test_progress_counts_to_the_budget(tmp_path, search):
    seen = []
    search(tmp_path / "run", on_progress=seen.append)
    assert [progress.spent for progress in seen] == list(range(1, 18))
    assert {progress.budget for progress in seen} == {17}
    assert seen[-1].eta_s == 0
    assert [progress.run.evaluations[-1] for progress in seen] == [progress.evaluation for progress in seen]


@pytest.mark.slow
@pytest.mark.parametrize("validations", [2, 14])
def test_a_killed_search_goes_on_to_the_same_trajectory(
    tmp_path, whole, validations, wait_until, lines_in, send, trajectory
):
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "run"), CONFIG.model_dump_json()]
    process = subprocess.Popen([*command, "0.05"])
    wait_until(lambda: lines_in(tmp_path / "run" / "evaluations.jsonl") >= validations, process)
    send(process, signal.SIGKILL)
    before = load_run(tmp_path / "run").evaluations
    subprocess.run([*command, "0"], check=True)
    run = load_run(tmp_path / "run")
    assert trajectory(run) == trajectory(whole)
    assert run.evaluations[: len(before)] == before


@pytest.mark.slow
@pytest.mark.parametrize("measured", [0, 5, 7])
def test_interrupting_leaves_a_run_that_goes_on(tmp_path, whole, measured, search, trajectory):
    class Interrupted(AnalyticSupernet):
        def evaluate(self, architecture, split, share=1.0, *, precision="fp32"):
            if len(load_run(tmp_path / "run").evaluations) == measured:
                raise KeyboardInterrupt
            return super().evaluate(architecture, split, share)

    context = fake_context()
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path / "run", context=replace(context, supernet=Interrupted(context.space)))
    assert len(load_run(tmp_path / "run").evaluations) == measured
    assert trajectory(search(tmp_path / "run")) == trajectory(whole)


@pytest.fixture
def copy(tmp_path, whole):
    shutil.copytree(whole.folder, tmp_path / "run")
    return tmp_path / "run"


@pytest.mark.parametrize(
    ("field", "value"),
    [("seed", 9), ("population", 4), ("partial_share", 0.2), ("tactic", "random"), ("split", "test")],
)
def test_another_config_is_refused_by_field_and_nothing_is_lost(copy, field, value, search):
    before = (copy / "evaluations.jsonl").read_bytes()
    with pytest.raises(RunMismatch, match="force=True") as raised:
        search(copy, CONFIG.model_copy(update={field: value}))
    assert raised.value.fields == (f"config.{field}",)
    assert (copy / "evaluations.jsonl").read_bytes() == before


def test_another_profile_is_refused(copy):
    with pytest.raises(RunMismatch) as raised:
        search_in_context(fake_context(), CONFIG, copy, provenance={"profile": {"name": "p", "sha256": "abc"}})
    assert raised.value.fields == ("provenance.profile.name", "provenance.profile.sha256")


@pytest.mark.parametrize("field", ["space_digest", "versions.numpy"])
def test_another_space_or_version_is_refused(copy, field, search):
    header = json.loads((copy / "run.json").read_text())
    name, _, inner = field.partition(".")
    header[name] = header[name] | {inner: "0.1"} if inner else "0" * 16
    (copy / "run.json").write_text(json.dumps(header))
    with pytest.raises(RunMismatch) as raised:
        search(copy)
    assert raised.value.fields == (field,)


@pytest.mark.slow
def test_force_starts_anew(copy, search):
    run = search(copy, CONFIG.model_copy(update={"seed": 9}), force=True)
    assert len(run.evaluations) == 17
    assert run.config.seed == 9


@pytest.mark.parametrize(
    ("field", "content"),
    [
        ("objectives", [{"name": "macs", "unit": "MACs", "direction": "down", "reference": 1.0}]),
        ("objectives", [{"name": "macs", "unit": "MACs", "direction": "min"}]),
        ("watched", [{"name": "macs", "unit": "MACs", "colour": "red"}]),
        ("watched", [{"name": "macs"}]),
    ],
)
def test_a_damaged_quantity_of_the_description_is_named(copy, field, content):
    path = copy / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {field: content}))
    with pytest.raises(RunDamaged, match=rf"is not a run's description: {field}\.0\."):
        load_run(copy)


def test_a_damaged_line_is_named(copy, search):
    path = copy / "evaluations.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:4], lines[4][:30], *lines[5:]]) + "\n")
    for use in (load_run, search):
        with pytest.raises(RunDamaged, match="line 5") as raised:
            use(copy)
        assert raised.value.line_number == 5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"order": 9}, "expected evaluation 2"),
        ({"values": {"accuracy": 1.0}}, "expected evaluation 2"),
        ({"values": {"accuracy": "high", "macs": 1.0}}, "accuracy"),
        ({"round": -1}, "round"),
        ({"surplus": 1}, "surplus"),
    ],
)
def test_a_wrong_record_is_named(copy, change, said):
    path = copy / "evaluations.jsonl"
    lines = path.read_text().splitlines()
    lines[2] = json.dumps(json.loads(lines[2]) | change)
    path.write_text("\n".join(lines) + "\n")
    sign_journal(path)
    with pytest.raises(RunDamaged, match="line 3") as raised:
        load_run(copy)
    assert said in str(raised.value)


def test_an_edited_architecture_is_not_continued(copy, search):
    path = copy / "evaluations.jsonl"
    lines = path.read_text().splitlines()[:3]
    other = Architecture("fashion_mnist", (*(0,) * 25, 1))
    lines[2] = json.dumps(json.loads(lines[2]) | {"indices": other.indices, "id": other.id})
    path.write_text("\n".join(lines) + "\n")
    sign_journal(path)
    with pytest.raises(RunDamaged, match="not what its settings lead to"):
        search(copy)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"schema": "gnomon.run", "version": 99}'])
def test_other_files_are_no_run(copy, content):
    (copy / "run.json").write_text(content)
    with pytest.raises(RunDamaged, match=r"run\.json"):
        load_run(copy)


def test_a_folder_of_something_else_is_left_alone(tmp_path, search):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(OutputUnusable, match=r"thesis\.tex"):
        search(tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "precious"


@pytest.mark.parametrize("folder", ["file/below", "/proc/gnomon"])
def test_an_unwritable_folder_is_said(tmp_path, folder, search):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputUnusable, match="cannot write"):
        search(tmp_path / folder)


def test_two_processes_do_not_write_one_run(tmp_path, search):
    (tmp_path / "run").mkdir()
    with FileLock(tmp_path / "run" / "lock"), pytest.raises(RunLocked, match="another process"):
        search(tmp_path / "run")


def test_version_1_loads_forever():
    run = load_run(SAMPLE)
    assert run.config.space == "fashion_mnist"
    assert len(run.evaluations) == 6
    assert run.front().architectures
