"""Studies whose trials say which examples to evaluate, and are told which of them the network is right about."""

import numpy as np
import pytest

import gnomon
from gnomon.search import SearchConfig, UserObjective, load_run
from gnomon.search.errors import InvalidConfig, InvalidValue, TrialRefused
from gnomon.search.testing.contracts import AnalyticSupernet
from gnomon.supernets import load_space
from gnomon.supernets.data.labelled import rows_of_share
from gnomon.supernets.evaluation.deciding import DecidingExamples, Outcomes

EXAMPLES = 400
CONFIG = SearchConfig(space="fashion_mnist", objectives=("accuracy", "macs"), budget=20, partial_share=0.2)


def every(trial):
    """Return what a network is right about, and its margins: examples have a difficulty each."""
    accuracy = AnalyticSupernet(load_space("fashion_mnist")).evaluate(trial.architecture, "validation") / 100
    margin = accuracy - np.random.default_rng(0).random(EXAMPLES)
    return margin > 0, np.abs(margin)


def tell(study, trial):
    right, margins = every(trial)
    return study.tell(trial, correct=right[trial.examples].tolist(), margins=margins[trial.examples])


def opened(folder, **changes):
    return gnomon.Study(CONFIG, folder, examples=EXAMPLES, **changes)


def first_round(study):
    """Tell the first round, and return the trials that followed the pilots."""
    pilots = study.ask()
    for trial in reversed(pilots):
        tell(study, trial)
    return study.ask()


@pytest.fixture
def study(tmp_path):
    with opened(tmp_path / "run") as study:
        yield study


def test_pilots_are_asked_first_and_show_which_examples_decide(study):
    pilots = study.ask()
    assert [trial.share for trial in pilots] == [1.0, 1.0]
    assert all(trial.examples.tolist() == list(range(EXAMPLES)) for trial in pilots)
    later = first_round(study)
    assert {trial.share for trial in later} == {CONFIG.partial_share}
    order = DecidingExamples.of([Outcomes(r, m.astype(np.float16)) for r, m in map(every, reversed(pilots))])
    assert all(trial.examples.tolist() == order.rows(CONFIG.partial_share).tolist() for trial in later)
    evaluation = tell(study, later[0])
    right, margins = (one[order.rows(CONFIG.partial_share)] for one in every(later[0]))
    assert evaluation.values["accuracy"] == order.percent(Outcomes(right, margins.astype(np.float16)))
    assert evaluation.outcomes is None
    assert load_run(study.run.folder).header.partial_examples == "deciding"


def test_a_study_that_is_opened_again_hands_out_the_same_examples(tmp_path):
    with opened(tmp_path / "run") as study:
        later = first_round(study)
        tell(study, later[3])
    with opened(tmp_path / "run") as again:
        left = again.ask()
        assert left == tuple(trial for trial in later if trial != later[3])
        assert all(a.examples.tolist() == later[0].examples.tolist() for a in left)


def test_where_a_pilot_fails_shares_are_of_a_fixed_order(study):
    lost, kept = study.ask()
    study.tell(lost, failed="out of memory")
    tell(study, kept)
    assert all(trial.examples.tolist() == rows_of_share(EXAMPLES, 0.2).tolist() for trial in study.ask())
    assert tell(study, study.ask()[0]).values["accuracy"] > 0
    assert load_run(study.run.folder).evaluations == study.run.evaluations


@pytest.mark.parametrize(
    ("told", "error", "said"),
    [
        ({"correct": [1] * 3}, InvalidValue, r"told correct of shape \(3,\); expected \(400,\), one for each"),
        ({"correct": [[1] * EXAMPLES]}, InvalidValue, r"shape \(1, 400\)"),
        ({"correct": [2] * EXAMPLES}, InvalidValue, "correct with 2 in it; expected 1 where right, 0 where wrong"),
        ({"correct": [float("nan")] * EXAMPLES}, InvalidValue, "correct that are not finite"),
        ({"correct": ["yes"] * EXAMPLES}, InvalidValue, "correct that are no numbers"),
        ({"correct": [1] * EXAMPLES, "margins": [1.0]}, InvalidValue, r"margins of shape \(1,\)"),
        ({"correct": [1] * EXAMPLES, "margins": [-1.0] * EXAMPLES}, InvalidValue, "margins with -1 in it"),
        ({"accuracy": 90.0}, TrialRefused, r"study with examples; tell correct=\[...\]"),
        ({"correct": [1] * EXAMPLES, "accuracy": 90.0}, TrialRefused, "no accuracy beside it"),
        ({"correct": [1] * EXAMPLES, "failed": "lost"}, TrialRefused, 'or failed="why" alone'),
        ({}, TrialRefused, "study with examples"),
    ],
)
def test_what_cannot_be_told_is_one_error_and_the_trial_stays_open(study, told, error, said):
    trial = study.ask()[0]
    with pytest.raises(error, match=said):
        study.tell(trial, **told)
    assert trial in study.ask()
    assert not study.run.evaluations


def test_outcomes_are_told_once(study):
    trial = study.ask()[0]
    tell(study, trial)
    with pytest.raises(TrialRefused, match="is told already"):
        tell(study, trial)


def test_a_trial_in_part_is_not_told_before_its_examples_are_known(study):
    first = study.ask()[0]
    waiting = next(t for t in study._session.open_trials() if t.share < 1.0)
    with pytest.raises(TrialRefused, match="which the first full validations show"):
        study.tell(waiting, correct=[1] * 40)
    assert first in study.ask()


def test_a_study_without_examples_is_not_told_any(tmp_path):
    with gnomon.Study(CONFIG, tmp_path / "run") as study:
        trial = study.ask()[0]
        assert trial.examples is None
        with pytest.raises(TrialRefused, match="hands out no examples; tell accuracy"):
            study.tell(trial, correct=[1])


@pytest.mark.parametrize("wrong", [0, -1, True, 2.5, "all"])
def test_a_number_of_examples_that_is_none_is_refused(tmp_path, wrong):
    with pytest.raises(InvalidConfig, match="expected how many validation examples there are"):
        gnomon.Study(CONFIG, tmp_path / "run", examples=wrong)


def test_examples_without_an_accuracy_are_refused(tmp_path):
    config = CONFIG.model_copy(update={"objectives": ("loss", "macs")})
    with pytest.raises(InvalidConfig, match="the study searches loss, macs"):
        gnomon.Study(config, tmp_path / "run", examples=9, user_objectives=[UserObjective("loss", "nats", "min")])
