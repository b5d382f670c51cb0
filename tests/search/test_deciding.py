"""Searches whose partial evaluations are on the examples that decide: what is kept, resumed, and refused."""

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from gnomon.profilers.testing import sign_journal
from gnomon.search import SearchConfig, load_run, search_in_context
from gnomon.search.acquisition.opening import PAIRS, TRIAL_PARTIAL
from gnomon.search.errors import RunDamaged, RunMismatch
from gnomon.search.fronts.counting import MOST
from gnomon.search.testing.contracts import AnalyticSupernet, fake_context
from gnomon.supernets.data.labelled import rows_of_share
from gnomon.supernets.evaluation.deciding import DecidingExamples, Outcomes
from gnomon.supernets.space.space import Architecture

CONFIG = SearchConfig(
    space="fashion_mnist", objectives=("accuracy", "macs"), budget=20, inner_evaluations=60, partial_share=0.2
)
EXAMPLES = 1000


@dataclass(frozen=True)
class Imaged(AnalyticSupernet):
    """Images with a difficulty each; a network is right about those below its accuracy, but for noise of its own."""

    has_outcomes: bool = True
    noise: float = 0.02

    def evaluate(self, architecture, split="validation", share=1.0, *, precision="fp32"):
        rows = rows_of_share(EXAMPLES, share) if share < 1.0 else None
        return self.outcomes(architecture, split, rows, precision=precision).percent

    def outcomes(self, architecture, split="validation", rows=None, *, precision="fp32"):
        accuracy = AnalyticSupernet(self.space).evaluate(architecture, split) / 100
        own = np.random.default_rng(list(architecture.indices)).normal(0.0, self.noise, EXAMPLES)
        margin = accuracy - np.random.default_rng(0).random(EXAMPLES) + own
        every = Outcomes(margin > 0, np.abs(margin).astype(np.float16))
        return every if rows is None else Outcomes(every.right[rows], every.margins[rows])


@dataclass(frozen=True)
class FirstFails(Imaged):
    """The smallest network cannot be evaluated."""

    def outcomes(self, architecture, split="validation", rows=None, *, precision="fp32"):
        if not any(architecture.indices):
            raise RuntimeError("out of memory")
        return super().outcomes(architecture, split, rows, precision=precision)


def imaged(kind=Imaged, **settings):
    context = fake_context()
    return replace(context, supernet=kind(context.space, **settings))


def search(folder, config=CONFIG, context=None):
    return search_in_context(context or imaged(), config, folder, provenance={})


def trajectory(run):
    return [(e.round, e.position, e.indices, e.share, e.values, e.outcomes) for e in run.evaluations]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return search(tmp_path_factory.mktemp("whole") / "run")


@pytest.fixture
def copy(tmp_path, whole):
    return Path(shutil.copytree(whole.folder, tmp_path / "run"))


def rewrite(folder, line, change):
    path = folder / "evaluations.jsonl"
    records = [json.loads(text) for text in path.read_text().splitlines()]
    change(records[line])
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    sign_journal(path)


def test_partial_evaluations_are_on_the_examples_that_the_ends_of_the_space_decide(whole):
    supernet = imaged().supernet
    pilots, later = whole.evaluations[:2], whole.evaluations[2:]
    assert whole.header.partial_examples == "deciding"
    assert {sum(pilot.indices) for pilot in pilots} == {0, int((supernet.space.radices - 1).sum())}
    assert all(pilot.outcomes.read().percent == pilot.values["accuracy"] for pilot in pilots)
    assert not any(evaluation.outcomes for evaluation in later)
    examples = DecidingExamples.of([pilot.outcomes.read() for pilot in pilots])
    for partial in whole.partial_evaluations:
        architecture = Architecture(supernet.space.name, partial.indices)
        seen = supernet.outcomes(architecture, rows=examples.rows(partial.share))
        assert partial.values["accuracy"] == examples.percent(seen)
    assert load_run(whole.folder) == whole


def test_they_pay_where_random_ones_do_not(tmp_path, whole):
    tenth = CONFIG.model_copy(update={"partial_share": 0.1})
    random = search(tmp_path / "run", tenth, imaged(has_outcomes=False))
    assert random.header.partial_examples == "random"
    assert not any(evaluation.outcomes for evaluation in random.evaluations)
    cost = [sum(evaluation.share for evaluation in run.partial_evaluations) for run in (whole, random)]
    assert cost[1] == pytest.approx(TRIAL_PARTIAL)
    assert cost[0] > 2 * TRIAL_PARTIAL


@pytest.mark.filterwarnings("default::gnomon.profilers.journal.TornLine")
@pytest.mark.parametrize(("lines", "torn"), [(0, 100), (1, 0), (2, 100), (3, 0), (12, 100), (30, 0)])
def test_an_interrupted_run_equals_an_uninterrupted_one(copy, whole, lines, torn):
    path = copy / "evaluations.jsonl"
    content = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(content[:lines]) + content[lines][:torn])
    assert trajectory(search(copy)) == trajectory(whole)


@pytest.mark.parametrize(
    ("line", "change", "said"),
    [
        (0, lambda e: e.update(outcomes=None), "the outcomes of a pilot are missing"),
        (1, lambda e: e["outcomes"].update(examples=999), "margins has 2000 bytes; 999 examples take 1998"),
        (1, lambda e: e["outcomes"].update(right="AAAA"), "right has 3 bytes; 1000 examples take 125"),
        (1, lambda e: e["outcomes"].update(right="no base64"), "outcomes"),
        (
            1,
            lambda e: e["outcomes"].update(margins="AHwA" + e["outcomes"]["margins"][4:]),
            "margins has negative or inf",
        ),
        (
            1,
            lambda e: e.update(outcomes={"examples": 1, "right": "gA==", "margins": "AAA="}),
            "outcomes of 1 examples; those of the first pilot are of 1000",
        ),
        (
            4,
            lambda e: e.update(outcomes={"examples": 1, "right": "gA==", "margins": "AAA="}),
            "outcomes are kept of what is no pilot",
        ),
    ],
)
def test_edited_outcomes_are_named(copy, line, change, said):
    rewrite(copy, line, change)
    with pytest.raises(RunDamaged, match=f"line {line + 1}: .*{said}"):
        load_run(copy)


def test_a_run_does_not_go_on_with_a_supernet_that_tells_no_outcomes(copy):
    with pytest.raises(RunMismatch, match="partial_examples: 'deciding' there, 'random' asked"):
        search(copy, replace_budget(25), imaged(has_outcomes=False))


def replace_budget(budget):
    return CONFIG.model_copy(update={"budget": budget})


def test_where_a_pilot_fails_examples_are_random_and_a_cut_run_knows(tmp_path):
    context = imaged(FirstFails)
    run = search(tmp_path / "run", context=context)
    assert [bool(evaluation.outcomes) for evaluation in run.evaluations[:2]].count(True) == 1
    for partial in run.partial_evaluations:
        architecture = Architecture(run.config.space, partial.indices)
        assert partial.values["accuracy"] == context.supernet.evaluate(architecture, share=partial.share)
    path = run.folder / "evaluations.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:9]))
    assert trajectory(search(run.folder, context=context)) == trajectory(run)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_outcomes_that_mean_nothing_cost_a_search_no_more_than_its_trial(tmp_path, seed):
    """The trial is looks, and some of them on a larger share."""
    run = search(tmp_path / "run", CONFIG.model_copy(update={"seed": seed}), imaged(noise=5.0))
    assert sum(evaluation.share for evaluation in run.partial_evaluations) == pytest.approx(
        TRIAL_PARTIAL + PAIRS * MOST
    )


def test_a_search_of_full_validations_only_keeps_no_outcomes(tmp_path):
    full = search(tmp_path / "full", CONFIG.model_copy(update={"partial_share": 1.0, "budget": 6}))
    assert full.header.partial_examples == "random"
    assert not any(evaluation.outcomes for evaluation in full.evaluations)


@pytest.mark.parametrize(
    ("version", "examples", "members", "starts"),
    [(4, "random", 2, 0), (5, "deciding", 2, 0), (7, "deciding", 4, 3), (8, "deciding", 5, 4), (9, "deciding", 5, 0)],
)
def test_a_run_of_an_earlier_version_loads_and_is_not_continued(tmp_path, version, examples, members, starts):
    folder = Path(shutil.copytree(Path(__file__).parent / "samples" / f"run_v{version}", tmp_path / "run"))
    run = load_run(folder)
    assert (run.header.version, run.header.partial_examples) == (version, examples)
    assert len(run.front().values) == members
    assert run.start is None or [record.share for record in run.start.counted] == [1.0] * starts
    with pytest.raises(RunMismatch, match=f"format version {version}, which can be read but not continued"):
        search(folder, run.config)
