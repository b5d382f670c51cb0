"""How long a run will take still, by what visits to the same models took."""

import pytest

from gnomon.profilers.results.visits import Visit
from gnomon.profilers.timing.schedule import Step
from gnomon.profilers.worker.time_left import Ahead, Left, VisitCosts


def costs_of(*visits):
    """The costs of (key, load_s, seconds with that) of one session; its first visit starts at second 0."""
    costs, t_s = VisitCosts(), 0.0
    for slot, (key, load_s, took_s) in enumerate(visits):
        t_s += took_s
        busy_us = (took_s - load_s) * 1e6
        costs.note(Visit(key, "layer", Step(key, 0, slot), 1, (busy_us,), load_s * 1e3, "a", t_s))
    return costs


SEEN = (("layer", 2.0, 3.0), ("network", 4.0, 9.0), ("layer", 0.0, 1.0))


def test_visits_count_at_what_they_took_for_their_own_model_without_its_load():
    costs = costs_of(*SEEN)
    assert (costs.visit_s("layer"), costs.visit_s("network")) == pytest.approx((1.0, 5.0))
    ahead = Ahead(costs, ["layer", "network", "network"], {"layer": 0, "network": 4}, loads=0)
    assert [ahead.left(number) for number in range(3)] == [Left(7, 31.0), Left(6, 30.0), Left(5, 25.0)]


def test_models_never_visited_count_as_the_mean_of_the_others_and_are_to_be_loaded():
    ahead = Ahead(costs_of(*SEEN), ["other", "layer"], {}, loads=0)
    assert ahead.left(0) == Left(2, 2 * 3.0 + 3.0)
    assert ahead.left(1) == Left(1, 3.0)


def test_every_later_process_loads_all_models_again():
    costs = costs_of(*SEEN)
    assert Ahead(costs, ["layer"], {"layer": 2}, loads=2).left(0) == Left(3, 3 * 1.0 + 2 * 3.0)
    costs.begin()
    assert Ahead(costs, ["layer"], {}, loads=0).left(0) == Left(1, 1.0 + 3.0)


def test_what_is_loaded_at_every_visit_takes_that_long_every_time():
    costs = costs_of(*SEEN, ("network", 4.0, 9.0))
    assert costs.visit_s("network") == pytest.approx(9.0)


def test_nothing_is_known_before_the_first_visit():
    assert Ahead(VisitCosts(), ["layer"], {"layer": 3}, loads=2).left(0) == Left(4, 0.0)
