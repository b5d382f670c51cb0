"""Numbers with a unit at the command line."""

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from gnomon.cli.options.quantities import count, seconds
from gnomon.search.runs.run import load_run


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("90", 90),
        ("90s", 90),
        ("12ms", 0.012),
        ("45m", 2700),
        ("45 min", 2700),
        ("1.5h", 5400),
        ("1d", 86400),
        (3.5, 3.5),
    ],
)
def test_a_length_of_time_may_have_a_unit_and_is_seconds_without(written, expected):
    assert seconds(written) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("written", "expected"), [("250", 250), ("20k", 20_000), ("3M", 3_000_000), ("1.5k", 1500), ("1_000", 1000)]
)
def test_a_count_may_be_in_thousands_and_millions(written, expected):
    assert count(written) == expected


@pytest.mark.parametrize("written", ["", "ten", "4 parsecs", "12mm", "--", "nan", "1e999", "5%"])
def test_what_is_neither_is_refused_with_an_example(written):
    with pytest.raises(typer.BadParameter, match="expected"):
        count(written)
    if written != "1e999":
        with pytest.raises(typer.BadParameter, match="expected"):
            seconds(written)


def test_half_a_validation_is_no_count():
    with pytest.raises(typer.BadParameter, match="no whole number"):
        count("0.5")


@pytest.mark.slow
@given(st.integers(0, 10**12))
def test_every_whole_number_is_read_as_it_is_written(number):
    assert count(str(number)) == number


@pytest.mark.slow
def test_a_search_takes_units_and_keeps_what_they_come_to(gnomon, tmp_path):
    small = ("--tactic", "random", "--population", "3", "--objectives", "macs,params", "--out", tmp_path / "run")
    outcome = gnomon("search", *small, "--budget", "0.003k", "--stop-after", "45m")
    assert outcome.code == 0, outcome.err
    assert (load_run(tmp_path / "run").config.budget, load_run(tmp_path / "run").config.stop_after_s) == (3, 2700.0)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--time-cap", "4 parsecs", "no length of time"),
        ("--time-cap-s", "0", "--time-cap-s 0"),
        ("--networks", "x", "no whole"),
    ],
)
def test_a_unit_that_is_none_is_refused_in_one_line(gnomon, tmp_path, option, value, said):
    outcome = gnomon("profile", "fashion_mnist", option, value, "--out", tmp_path / "p.jsonl")
    assert outcome.code == 2
    assert said in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1
