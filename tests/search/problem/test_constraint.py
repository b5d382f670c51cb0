import numpy as np
import pytest

from gnomon.search import Constraint
from gnomon.search.errors import InvalidConstraint
from gnomon.search.problem.constraint import violation

UNITS = {
    "latency": "us",
    "latency@pi5-8.b1": "us",
    "accuracy": "percent",
    "macs": "MACs",
    "params": "params",
    "depth": "layers",
}


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("latency<=2ms", 2000.0),
        ("latency < 1.5e-3 s", 1500.0),
        ("latency<=300us", 300.0),
        ("latency<=300µs", 300.0),
        ("latency<=.5ms", 500.0),
        ("accuracy>=90%", 90.0),
        ("accuracy >= 90 percent", 90.0),
        ("latency@pi5-8.b1<=12ms", 12000.0),
        ("accuracy>90", 90.0),
        ("macs<=2.5M", 2.5e6),
        ("macs<3", 3.0),
        ("params<=400K", 4e5),
        ("params<=1G", 1e9),
        ("depth<=9", 9.0),
        ("depth<=9layers", 9.0),
    ],
)
def test_bounds_are_held_in_the_objectives_unit(text, bound):
    constraint = Constraint.parse(text, UNITS)
    assert constraint.bound == pytest.approx(bound)
    assert constraint.unit == UNITS[constraint.objective]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("latency<=2", "has no unit; latency takes 'ns', 'us'"),
        ("latency<=2kg", "the unit 'kg'"),
        ("latency<=2m", "the unit 'm'"),
        ("accuracy>=90ms", "the unit 'ms'"),
        ("latency@pi5-8.b1<=2", "latency@pi5-8.b1 takes 'ns'"),
        ("latency@pi5-8.b2<=2ms", "did you mean 'latency@pi5-8.b1'"),
        ("latncy<=2ms", "did you mean 'latency'"),
        ("energy<=2", "does not measure; its objectives are latency, latency@pi5-8.b1, accuracy"),
        ("latency=2ms", "cannot read"),
        ("latency<=ms", "cannot read"),
        ("2ms>=latency", "cannot read"),
        ("latency<=inf ms", "cannot read"),
        ("latency<=1e", "cannot read|the unit 'e'"),
        ("", "cannot read"),
    ],
)
def test_unreadable_text_says_why(text, said):
    with pytest.raises(InvalidConstraint, match=said):
        Constraint.parse(text, UNITS)


def test_text_survives_a_round_trip():
    constraint = Constraint.parse("latency<=2ms", UNITS)
    assert Constraint.parse(str(constraint), UNITS) == constraint


@pytest.mark.parametrize(
    ("operator", "held"),
    [
        ("<=", [True, True, False]),
        ("<", [True, False, False]),
        (">=", [False, True, True]),
        (">", [False, False, True]),
    ],
)
def test_the_bound_itself_counts_where_the_operator_says_so(operator, held):
    constraint = Constraint.parse(f"macs{operator}2", UNITS)
    values = np.array([1.0, 2.0, 3.0])
    assert constraint.holds(values).tolist() == held
    assert (constraint.excess(values) == 0).tolist() == held


def test_violations_add_up_relative_to_their_bounds():
    constraints = [Constraint.parse("macs<=100", UNITS), Constraint.parse("accuracy>=80", UNITS)]
    values = np.array([[80.0, 100.0], [80.0, 150.0], [60.0, 150.0]])
    assert violation(values, ["accuracy", "macs"], constraints) == pytest.approx([0.0, 0.5, 0.75])


def test_a_bound_of_zero_can_be_missed():
    excess = Constraint.parse("macs<=0", UNITS).excess(np.array([0.0, 5.0]))
    assert excess[0] == 0
    assert excess[1] > 0
    assert np.isfinite(excess).all()
