from dataclasses import dataclass, replace

import numpy as np
import pytest

from gnomon.search import SearchConfig, Study, load_run, search_in_context
from gnomon.search.archive import Archive
from gnomon.search.errors import Infeasible, InvalidConstraint, MissingContext, UnknownName
from gnomon.search.problem.build import OBJECTIVES, build_objective, build_objectives, build_watched
from gnomon.search.problem.problem import settled
from gnomon.search.problem.resource import FAMILIES
from gnomon.search.tactic import TACTICS
from gnomon.search.testing.contracts import LinearLatency, fake_context

CONTEXT = fake_context()


@dataclass(frozen=True)
class Slower:
    """Another device: memory-bound, so that parameters cost time too."""

    space: object

    def value_us(self, indices):
        return LinearLatency(self.space).value_us(indices) + 0.01 * self.space.params(indices)


DEVICES = replace(CONTEXT, latency={"pi5": Slower(CONTEXT.space), "xeon-8": LinearLatency(CONTEXT.space)})
NAMES = ("accuracy", "latency@pi5", "latency@xeon-8")


def settings(**changes):
    return SearchConfig(
        **{"space": "fashion_mnist", "population": 10, "budget": 30, "inner_evaluations": 100, "tactic": "linas"}
        | changes
    )


def test_every_profile_is_an_objective_of_its_own():
    rows = CONTEXT.space.sample(5, np.random.default_rng(0))
    pi5, xeon = build_objectives(NAMES[1:], DEVICES)
    assert (pi5.name, xeon.name, pi5.unit) == ("latency@pi5", "latency@xeon-8", "us")
    assert (pi5.values(rows) > xeon.values(rows)).all()


def test_one_unnamed_profile_is_plain_latency_beside_named_ones():
    both = replace(DEVICES, latency={"": LinearLatency(CONTEXT.space), **DEVICES.latency})
    assert [o.name for o in build_objectives(("latency", "latency@pi5"), both)] == ["latency", "latency@pi5"]
    assert build_objective("latency", CONTEXT).name == "latency"


@pytest.mark.parametrize(
    ("name", "context", "said"),
    [
        ("latency@pi4", DEVICES, r"'latency@pi4' needs.*of latency@pi5, latency@xeon-8; did you mean 'latency@pi5'"),
        ("latency", DEVICES, r"'latency' needs.*given are of latency@pi5, latency@xeon-8.*`profile`"),
        ("latency@pi5", CONTEXT, r"given are of latency; did.*`profile=pi5=FILE`"),
        ("latency@pi5", replace(CONTEXT, latency=None), r"there is none.*`profile=pi5=FILE`"),
    ],
)
def test_a_profile_that_is_not_there_names_those_that_are(name, context, said):
    with pytest.raises(MissingContext, match=said):
        build_objective(name, context)


@pytest.mark.parametrize("family", sorted(set(OBJECTIVES.names()) - {"latency", "bleu", *FAMILIES}))
def test_what_has_no_instances_says_so(family):
    with pytest.raises(UnknownName, match=f"'{family}' has no instances"):
        build_objective(f"{family}@pi5", DEVICES)


def test_a_family_that_nobody_has_is_unknown(tmp_path):
    with pytest.raises(UnknownName, match="did you mean 'latency'"):
        search_in_context(DEVICES, settings(objectives=("accuracy", "latenzy@pi5")), tmp_path / "run", provenance={})


def test_a_run_of_two_devices_keeps_both_and_its_constraints(tmp_path):
    bound = float(np.quantile(build_objective("latency@pi5", DEVICES).values(sample()), 0.3))
    config = settings(objectives=NAMES, constraints=(f"latency@pi5<={bound}us",))
    search_in_context(DEVICES, config, tmp_path / "run", provenance={})
    run = load_run(tmp_path / "run")
    assert [objective.name for objective in run.objectives] == list(NAMES)
    assert all(values[1] <= bound for values in run.front().values)
    assert len(run.evaluations) == 30


def sample():
    return CONTEXT.space.sample(200, np.random.default_rng(0))


@pytest.mark.slow
@pytest.mark.parametrize("tactic", TACTICS.names())
@pytest.mark.parametrize("objectives", [("accuracy",), ("accuracy", "latency"), ("accuracy", "latency", "macs")])
def test_what_is_not_optimised_can_be_constrained(tmp_path, tactic, objectives):
    bound = float(np.quantile(CONTEXT.space.params(sample()), 0.1))
    config = settings(objectives=objectives, tactic=tactic, constraints=(f"params<={bound}",))
    search_in_context(CONTEXT, config, tmp_path / "run", provenance={})
    run = load_run(tmp_path / "run")
    rows = np.array([evaluation.indices for evaluation in run.evaluations])
    assert [e.values["params"] for e in run.evaluations] == CONTEXT.space.params(rows).tolist()
    full = [evaluation for evaluation in run.evaluations if evaluation.is_full]
    assert run.values.shape == (len(full), len(objectives))
    assert len(full) == 30 or (tactic == "gnomon" and run.partial_evaluations)
    front = np.array([architecture.indices for architecture in run.front().architectures])
    assert (CONTEXT.space.params(front) <= bound).all()
    later = [evaluation.values["params"] <= bound for evaluation in full if evaluation.round]
    assert tactic == "random" or np.mean(later) > 0.2  # 0.1 at random
    assert search_in_context(CONTEXT, config, tmp_path / "run", provenance={}) == run


def test_a_constrained_profile_need_not_be_optimised(tmp_path):
    config = settings(objectives=("accuracy", "latency@xeon-8"), constraints=("latency@pi5<=1us",))
    run = search_in_context(DEVICES, config, tmp_path / "run", provenance={})
    with pytest.raises(
        Infeasible, match=r"none of 30 measured.*latency@pi5<=1us.*nearest is.*latency@pi5 \d"
    ) as raised:
        run.front()
    nearest = min(run.evaluations, key=lambda evaluation: evaluation.values["latency@pi5"])
    assert raised.value.nearest.indices == nearest.indices
    assert load_run(run.folder).hypervolume_trace() == (0.0,) * 30


@pytest.mark.parametrize(
    ("constraint", "said"),
    [
        ("accuracy>=80", "takes running networks and is no objective of the search.*`objectives=macs,params,accuracy`"),
        ("power<=2", "'power', which the run does not measure"),
        ("energy<=2", "takes running networks and is no objective of the search.*`objectives=macs,params,energy`"),
        ("latency<=2", "has no unit"),
    ],
)
def test_a_constraint_that_cannot_be_checked_is_refused(tmp_path, constraint, said):
    config = settings(objectives=("macs", "params"), constraints=(constraint,))
    with pytest.raises(InvalidConstraint, match=said):
        search_in_context(CONTEXT, config, tmp_path / "run", provenance={})
    assert not (tmp_path / "run").exists()


def test_values_alone_do_not_tell_what_rows_decide():
    config = settings(objectives=("macs",), constraints=("params<=1M",))
    watched = build_watched(config, CONTEXT)
    _, problem = settled(config, CONTEXT.space, build_objectives(("macs",), CONTEXT), watched)
    archive = Archive.of(CONTEXT.space, problem)
    with pytest.raises(InvalidConstraint, match="params is constrained without being an objective"):
        archive.violation(np.ones((1, 1)))


def test_a_study_computes_what_it_only_constrains(tmp_path):
    config = settings(objectives=("accuracy", "macs"), constraints=("params<=1M",), tactic="gnomon", budget=4)
    with Study(config, tmp_path / "run") as study:
        while not study.done:
            for trial in study.ask():
                study.tell(trial, accuracy=80.0)
        rows = np.array([evaluation.indices for evaluation in study.run.evaluations])
        assert [e.values["params"] for e in study.run.evaluations] == CONTEXT.space.params(rows).tolist()
    assert load_run(tmp_path / "run") == study.run


def test_a_study_cannot_constrain_what_is_told_without_optimising_it(tmp_path):
    config = settings(objectives=("macs",), constraints=("accuracy>=80",))
    with pytest.raises(InvalidConstraint, match="'accuracy', which the run does not measure; its objectives are macs"):
        Study(config, tmp_path / "run")


def test_evidence_of_another_run_is_held_against_constraints_of_this_one(tmp_path):
    known = {"checkpoint_sha256": "c", "data": None}
    first = search_in_context(
        CONTEXT, settings(objectives=("accuracy", "macs"), tactic="random"), tmp_path / "first", provenance=known
    )
    params = sorted(CONTEXT.space.params(np.array([e.indices for e in first.evaluations])).tolist())
    config = settings(objectives=("accuracy", "macs"), tactic="random", budget=1, constraints=(f"params<={params[3]}",))
    run = search_in_context(CONTEXT, config, tmp_path / "run", provenance=known, start_from=first)
    assert len(run.measured) == 31
    assert sum(one.watched[0] <= params[3] for one in run.measured[:30]) == 4
    front = np.array([architecture.indices for architecture in run.front().architectures])
    assert (CONTEXT.space.params(front) <= params[3]).all()
    assert load_run(run.folder) == run
