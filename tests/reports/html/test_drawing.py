"""Scales and names of the report's drawings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.reports.html.drawing.axes import scale_of
from gnomon.reports.html.drawing.forest import told_apart
from gnomon.reports.html.drawing.numbers import number


@given(st.lists(st.floats(1e-6, 1e12), min_size=1, max_size=20), st.sampled_from([None, False, True]))
def test_every_value_has_its_place_between_the_ends(values, log):
    scale = scale_of(values, 60, 700, log=log)
    places = [scale(value) for value in sorted(values)]
    assert places == sorted(places)
    assert places[0] >= 60
    assert places[-1] <= 700
    assert all(60 <= scale(tick) <= 700 for tick in scale.ticks)


@pytest.mark.parametrize(
    ("values", "log", "expected"),
    [((1, 100), True, (1, 2, 5, 10, 20, 50, 100)), ((0, 10), False, (0, 2, 4, 6, 8, 10))],
)
def test_ticks_are_round(values, log, expected):
    assert scale_of(values, 0, 100, log=log).ticks == expected


def test_a_single_value_stands_in_the_middle():
    assert scale_of([5.0], 0, 100)(5.0) == pytest.approx(50)


def test_layers_are_named_by_what_tells_them_apart():
    keys = ["conv(8x4x4,kernel=3,stride=1)", "conv(8x4x4,kernel=5,stride=1)", "head(8x4x4,classes=10)"]
    assert told_apart(keys) == ["conv kernel=3", "conv kernel=5", "head"]


def test_numbers_are_written_without_powers_of_ten():
    assert [number(value) for value in (15150.7, 98.9412, 0.0042, float("inf"))] == [
        "15,151",
        "98.94",
        "0.0042",
        "unknown",
    ]
