import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.search import SearchConfig, hypervolume, load_run, search_in_context
from gnomon.search.archive import Archive
from gnomon.search.errors import InvalidConfig
from gnomon.search.problem.build import build_objectives
from gnomon.search.problem.objective import minimised
from gnomon.search.problem.problem import settled
from gnomon.search.problem.reference import reference_point
from gnomon.search.problem.region import Region
from gnomon.search.testing.contracts import fake_context, problem_of

CONTEXT = fake_context()
OBJECTIVES = build_objectives(("accuracy", "latency"), CONTEXT)
DIRECTIONS = ("max", "min")
numbers = st.floats(0, 1000, allow_nan=False)
rows_of_values = st.lists(st.tuples(numbers, numbers), min_size=1, max_size=30).map(lambda v: np.array(v, dtype=float))


def config(*region, **changes):
    return SearchConfig(space="fashion_mnist", region=region, **changes)


def corner(*region, **changes):
    return settled(config(*region, **changes), CONTEXT.space, OBJECTIVES)[1].reference


def test_the_worse_sides_of_a_region_are_the_reference_point():
    worst = reference_point(OBJECTIVES, CONTEXT.space, {})
    assert corner() == worst
    assert corner("latency<=0.6ms") == (0.0, 600.0)
    assert corner("latency<=0.6ms", "accuracy>=80", "latency<=0.7ms") == (80.0, 600.0)
    assert corner("latency>=0.3ms") == worst
    assert corner("latency<=0.6ms", reference={"accuracy": 70.0}) == (70.0, 600.0)


@pytest.mark.parametrize(
    ("region", "changes", "said"),
    [
        (("latency<=2ms", "latency>=3ms"), {}, "latency would have to be at least 3000 and at most 2000 us"),
        (("accuracy>=90", "accuracy<=90"), {}, "at least 90 and at most 90 percent"),
        (
            ("latency<=2ms",),
            {"constraints": ("latency>=5ms",)},
            "latency>=5000 us: latency would have to",
        ),
        (("latency>=900ms",), {}, "which is more, so nothing counts"),
        (("accuracy<=60",), {"reference": {"accuracy": 70.0}}, "from 70 to 60, which is less"),
        (("latency<=2ms",), {"reference": {"latency": 5.0}}, "both say where hypervolume ends"),
        (("latency<=2",), {}, "has no unit"),
        (("params<=3M",), {}, "does not measure; its objectives are accuracy, latency"),
        (("fast",), {}, "cannot read"),
    ],
)
def test_a_region_that_makes_no_sense_is_refused(tmp_path, region, changes, said):
    with pytest.raises(InvalidConfig) as raised:
        search_in_context(CONTEXT, config(*region, **changes), tmp_path / "run", provenance={})
    assert said in str(raised.value)
    assert raised.value.field == "region"
    assert not (tmp_path / "run").exists()


def test_better_than_the_better_side_counts_as_that_side():
    region = Region.of(("latency>=300us", "accuracy<=90"), OBJECTIVES)
    values = np.array([[95.0, 100.0], [80.0, 400.0]])
    assert region.clipped(values).tolist() == [[90.0, 300.0], [80.0, 400.0]]
    assert region.holds(values).all()


@settings(max_examples=80, deadline=None)
@given(values=rows_of_values, accuracy=st.floats(1, 999), latency=st.floats(1, 999))
def test_inside_is_what_can_add_hypervolume(values, accuracy, latency):
    region = Region.of((f"accuracy>={accuracy}", f"latency<={latency}us"), OBJECTIVES)
    inside = region.holds(values)
    assert np.array_equal(inside, (values[:, 0] >= region.worst[0]) & (values[:, 1] <= region.worst[1]))
    volume = hypervolume(values, DIRECTIONS, region.worst)
    assert hypervolume(values[inside], DIRECTIONS, region.worst) == pytest.approx(volume)
    assert ((region.miss(values) > 0) == ~inside).all()


@settings(max_examples=80, deadline=None)
@given(values=rows_of_values)
def test_violations_are_constraints_then_region_then_nothing(values):
    problem = problem_of(CONTEXT.space, OBJECTIVES, constraints=("accuracy>=200",), region=("latency<=500us",))
    archive = Archive.of(CONTEXT.space, problem)
    rows = np.zeros((len(values), len(CONTEXT.space.choices)), dtype=np.int64)
    costs, violations = archive.judged(rows, values)
    feasible, inside = values[:, 0] >= 200, values[:, 1] <= 500
    assert (violations[feasible & inside] == 0).all()
    assert ((violations[feasible & ~inside] > 0) & (violations[feasible & ~inside] < 1)).all()
    assert (violations[~feasible] > 1).all()
    assert np.array_equal(costs, minimised(values, DIRECTIONS))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tactic", "algorithm"),
    [("evolutionary", "nsga2"), *(("linas", name) for name in ("nsga2", "agemoea2", "smsemoa", "unsga3", "ctaea"))],
)
def test_a_search_measures_more_where_it_counts(tmp_path, tactic, algorithm):
    latencies = OBJECTIVES[1].values(CONTEXT.space.sample(500, np.random.default_rng(0)))
    bound = float(np.quantile(latencies, 0.1))

    def inside(name, *region):
        settings = {"tactic": tactic, "algorithm": algorithm, "population": 10, "budget": 60, "inner_evaluations": 200}
        run = search_in_context(CONTEXT, config(*region, **settings), tmp_path / name, provenance={})
        return run, sum(evaluation.values["latency"] <= bound for evaluation in run.evaluations)

    _, anywhere = inside("anywhere")
    run, concentrated = inside("region", f"latency<={bound}us")
    assert concentrated > 1.5 * anywhere
    again = load_run(run.folder)
    assert again.header.objectives[1].reference == bound
    assert sum(again.inside(again.front())) > 0
    assert again.hypervolume_trace() == run.hypervolume_trace()


def test_hypervolume_of_a_run_is_clipped_to_its_region(tmp_path):
    run = search_in_context(
        CONTEXT,
        config("latency<=600us", "latency>=400us", tactic="random", population=10, budget=30),
        tmp_path / "run",
        provenance={},
    )
    best = max(e.values["accuracy"] for e in run.evaluations if e.values["latency"] <= 600)
    assert 0 < run.hypervolume_trace()[-1] <= best * 200
