import numpy as np
import pytest

from gnomon.search import Constraint, SearchConfig, load_run, search_in_context
from gnomon.search.errors import InvalidConfig, InvalidConstraint
from gnomon.search.problem.build import build_objectives, build_watched
from gnomon.search.problem.problem import settled
from gnomon.search.problem.region import Region
from gnomon.search.testing.contracts import fake_context

CONTEXT = fake_context()
CONFIG = SearchConfig(
    space="fashion_mnist", constraints=("latency<=2ms", "params<=200K"), region=("latency<=900us",), budget=6
)


def problem(config=CONFIG):
    objectives = build_objectives(config.objectives, CONTEXT)
    return settled(config, CONTEXT.space, objectives, build_watched(config, CONTEXT))[1]


def test_a_problem_says_what_is_measured_and_where_hypervolume_ends():
    found = problem()
    assert dict(found.units) == {"accuracy": "percent", "latency": "us", "params": "params"}
    assert found.directions == ("max", "min")
    assert found.constraints[0] == Constraint("latency", "<=", 2000.0, "us")
    assert found.reference == (0.0, 900.0)


def test_what_is_watched_breaks_a_constraint_like_an_objective():
    values = np.array([[90.0, 1000.0, 1e5], [90.0, 3000.0, 1e5], [90.0, 1000.0, 3e5]])
    assert problem().violation(values) == pytest.approx([0.0, 0.5, 0.5])


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"constraints": ("power<=2",)}, InvalidConstraint),
        ({"region": ("fast",)}, InvalidConfig),
        ({"constraints": ("latency>=1ms",)}, InvalidConfig),
        ({"reference": {"latency": 5.0}}, InvalidConfig),
    ],
)
def test_a_problem_that_makes_no_search_is_refused_before_anything_is_measured(changes, refusal):
    with pytest.raises(refusal):
        problem(CONFIG.model_copy(update=changes))


def test_texts_are_read_once_a_search_however_many_evaluations(tmp_path, monkeypatch):
    read = {"constraint": 0, "region": 0}
    parse, of = Constraint.parse, Region.of

    def counted_parse(text, units):
        read["constraint"] += 1
        return parse(text, units)

    def counted_of(*arguments):
        read["region"] += 1
        return of(*arguments)

    monkeypatch.setattr(Constraint, "parse", counted_parse)
    monkeypatch.setattr(Region, "of", counted_of)
    run = search_in_context(CONTEXT, CONFIG, tmp_path / "run", provenance={})
    assert len(run.evaluations) > 5
    assert read == {"constraint": 3, "region": 1}  # two constraints and the bound of a region
    loaded = load_run(tmp_path / "run")
    loaded.front(), loaded.hypervolume_trace(), loaded.inside(loaded.front())
    assert read == {"constraint": 6, "region": 2}
