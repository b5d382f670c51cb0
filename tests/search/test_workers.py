"""Several workers measure at once: whatever ends first, the budget is kept, and a run goes on as it was recorded."""

import json
import shutil
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from gnomon.profilers.testing import sign_journal
from gnomon.search import SearchConfig, Workers, load_run
from gnomon.search.acquisition.batch_choice import Choosing
from gnomon.search.errors import InvalidConfig, RunDamaged, UnknownName
from gnomon.search.executor import EXECUTORS, evaluated
from gnomon.search.measuring import Measuring, for_workers
from gnomon.search.prediction.posterior import Posterior
from gnomon.search.problem.build import build_objectives
from gnomon.search.session import Session
from gnomon.search.tactic import TACTICS
from gnomon.search.testing.contracts import fake_context, measured_archive

CONFIG = SearchConfig(
    space="fashion_mnist", objectives=("accuracy", "macs"), budget=20, population=4, inner_evaluations=60
)
NAMES = CONFIG.objectives


@dataclass
class Shuffled:
    """Workers that end in an order drawn from `rng`; `given` lists what they were given, with what was known then."""

    objectives: object
    workers: int
    rng: object
    jobs: dict = field(default_factory=dict)
    given: list = field(default_factory=list)

    @property
    def free(self):
        return self.workers - len(self.jobs)

    def submit(self, key, job):
        self.jobs[key] = job
        self.given.append((key, job))

    def answer(self):
        key = list(self.jobs)[self.rng.integers(len(self.jobs))]
        return key, evaluated(self.objectives, self.jobs.pop(key))

    def close(self):
        self.jobs.clear()


def measure(folder, workers, seed=0, *, most=10**6, config=CONFIG):
    """Measure up to `most` trials of a run with shuffled workers, then leave it as a kill would; return it."""
    context = fake_context()
    objectives = build_objectives(config.objectives, context)
    session = Session(context.space, config, folder, objectives=objectives, provenance={})
    executor = Shuffled(for_workers(objectives), workers, np.random.default_rng([seed, len(session.run.evaluations)]))
    measuring = Measuring(session, executor, objectives)
    while len(session.run.evaluations) < most and measuring.next() is not None:
        pass
    session.close()
    return load_run(folder), executor


def rows(run):
    return [(e.round, e.position, e.indices, e.share, e.values, e.expected) for e in run.evaluations]


@pytest.mark.slow
@pytest.mark.parametrize("tactic", ["gnomon", "random"])
def test_one_worker_measures_what_this_process_does(tmp_path, search, trajectory, tactic):
    config = CONFIG.model_copy(update={"tactic": tactic, "budget": 10})
    alone, _ = measure(tmp_path / "worker", 1, config=config)
    assert trajectory(alone) == trajectory(search(tmp_path / "here", config))
    assert not (tmp_path / "worker" / "rounds.jsonl").exists()


@pytest.mark.slow
@pytest.mark.parametrize(("tactic", "workers"), [("gnomon", 16), ("linas", 5), ("evolutionary", 5), ("random", 5)])
def test_the_budget_is_kept_and_nothing_is_measured_twice(tmp_path, tactic, workers):
    run, executor = measure(tmp_path / "run", workers, config=CONFIG.model_copy(update={"tactic": tactic}))
    assert CONFIG.budget - 1 < run.cost <= CONFIG.budget + 1e-9
    full = [e.indices for e in run.evaluations if e.is_full]
    assert len(set(full)) == len(full)
    assert len(executor.given) == len(run.evaluations)
    assert run.stop.reason == "budget"
    assert (tmp_path / "run" / "rounds.jsonl").exists()  # or no worker ever overtook another


@pytest.mark.slow
@pytest.mark.parametrize("tactic", TACTICS.names())
def test_a_run_that_is_killed_keeps_what_is_recorded_and_asks_for_the_rest_again(tmp_path, tactic):
    config = CONFIG.model_copy(update={"tactic": tactic})
    recorded = []
    for most in (9, 33, 10**6):
        before = [] if most == 9 else open_trials(tmp_path / "run", config)
        run, executor = measure(tmp_path / "run", 5, most=most, config=config)
        assert rows(run)[: len(recorded)] == recorded
        assert {key for key, _ in executor.given} >= set(before[:5])
        recorded = rows(run)
    assert CONFIG.budget - 1 < run.cost <= CONFIG.budget + 1e-9


def open_trials(folder, config):
    """Return the round and position of what a run has asked for and not recorded, without asking for more."""
    context = fake_context()
    session = Session(context.space, config, folder, objectives=build_objectives(NAMES, context), provenance={})
    trials = [(trial.round, trial.position) for trial in session._open.trials()]
    session.close()
    return trials


@pytest.mark.slow
def test_a_run_goes_on_with_fewer_workers_and_here(tmp_path, search):
    config = CONFIG.model_copy(update={"tactic": "random"})
    recorded = rows(measure(tmp_path / "run", 6, most=9, config=config)[0])
    recorded_again = rows(measure(tmp_path / "run", 2, most=13, config=config)[0])
    run = search(tmp_path / "run", config)
    assert recorded_again[:9] == recorded
    assert rows(run)[:13] == recorded_again
    assert run.cost == CONFIG.budget
    assert load_run(tmp_path / "run").evaluations == run.evaluations


@pytest.mark.slow
def test_another_order_of_ends_changes_later_rounds_only_by_what_was_known(tmp_path):
    config = CONFIG.model_copy(update={"tactic": "evolutionary"})
    first, second = (measure(tmp_path / str(seed), 4, seed, config=config)[0] for seed in (1, 2))
    rounds = [{(e.position, e.indices) for e in run.evaluations if e.round == 0} for run in (first, second)]
    assert rounds[0] == rounds[1]
    assert [e.indices for e in first.evaluations] != [e.indices for e in second.evaluations]


@pytest.mark.slow
def test_the_opening_is_judged_when_its_measurements_are_known(tmp_path, whole):
    """With five workers, as many partial evaluations are made as with one: none is left out, or added, for haste."""
    five = measure(tmp_path / "five", 5)[0]
    assert len(five.partial_evaluations) == len(whole.partial_evaluations) > 0


def test_believing_what_is_pending_is_choosing_after_it():
    """The second of two choices is the first one of a worker that knows the first as pending."""
    archive = measured_archive(fake_context(), 30)
    candidates = archive.unseen(archive.space.sample(60, np.random.default_rng(8)))
    posterior = Posterior.of(archive)
    first, second = Choosing.among(candidates, archive, posterior).best(2, share=1.0)
    pending = replace(archive, pending=candidates[[first]], pending_shares=np.ones(1))
    rest = np.delete(candidates, first, axis=0)
    chosen = Choosing.among(rest, pending, posterior).best(1, share=1.0)
    assert np.array_equal(rest[chosen[0]], candidates[second])
    heedless = Choosing.among(candidates, archive, posterior)
    alone = heedless.best(1, share=1.0)
    assert np.array_equal(candidates[alone[0]], candidates[first])


@pytest.fixture
def early(tmp_path):
    """A run of which some rounds were asked for early, and its lines."""
    measure(tmp_path / "run", 5, config=CONFIG.model_copy(update={"tactic": "random"}), most=14)
    return tmp_path / "run"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"known":4,"round":"one"}', "round: "),
        ('{"known":4}', "round: Field required"),
        ('{"known":1,"round":1}', "round 1 after 1 evaluations cannot follow round"),
        ('{"known":900,"round":9}', "a round was asked for after 900 evaluations, and .* has 14"),
    ],
)
def test_edited_rounds_are_named(early, line, said):
    with (early / "rounds.jsonl").open("a") as file:
        file.write(line + "\n")
    sign_journal(early / "rounds.jsonl")
    with pytest.raises(RunDamaged, match=said):
        load_run(early)


def test_rounds_that_are_lost_are_found(early):
    (early / "rounds.jsonl").unlink()
    with pytest.raises(RunDamaged, match=r"belongs to round \d, found \d"):
        load_run(early)


def test_an_architecture_that_was_pending_is_found_when_it_is_measured_again(early):
    path = early / "evaluations.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[-1] |= {name: lines[2][name] for name in ("indices", "id")}
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    sign_journal(path)
    with pytest.raises(RunDamaged, match="is measured again after evaluation 2"):
        load_run(early)


def test_force_begins_without_the_rounds_of_before(early, search):
    run = search(early, CONFIG.model_copy(update={"tactic": "random", "seed": 3}), force=True)
    assert not (early / "rounds.jsonl").exists()
    assert load_run(early) == run


def test_a_copied_run_goes_on(early, tmp_path, search):
    shutil.copytree(early, tmp_path / "copy")
    run = search(tmp_path / "copy", CONFIG.model_copy(update={"tactic": "random"}))
    assert run.cost == CONFIG.budget


@pytest.mark.parametrize("options", [{"workers": 2}, {"worker_gpus": 1.0}, {"executor": "local://here"}])
def test_this_process_is_one_worker(options):
    with pytest.raises(InvalidConfig, match="this process is one worker with what it has"):
        EXECUTORS.load("local").build((), Workers(**options))


def test_executors_are_known_by_name():
    assert EXECUTORS.names() == ("local", "ray")
    with pytest.raises(UnknownName, match="unknown executor 'rya'; known: local, ray; did you mean 'ray'"):
        Workers("rya://10.0.0.1:6379")
