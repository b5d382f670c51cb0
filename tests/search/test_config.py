import pytest

from gnomon.search import Constraint, SearchConfig
from gnomon.search.errors import InvalidConfig


@pytest.mark.parametrize("field", ["budget", "population", "inner_evaluations"])
@pytest.mark.parametrize("value", [0, -3])
def test_counts_must_be_positive(field, value):
    with pytest.raises(InvalidConfig, match=f"{field}={value}") as raised:
        SearchConfig(space="fashion_mnist", **{field: value})
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"budgt": 3}, "did you mean 'budget'"),
        ({"seed": -1}, "seed=-1"),
        ({"objectives": ()}, "objectives is empty"),
        ({"objectives": ("macs", "macs")}, "named twice"),
        ({"reference": {"macz": 1.0}}, "reference.macz"),
        ({"budget": "many"}, "budget='many'"),
    ],
)
def test_bad_settings_say_which(settings, said):
    with pytest.raises(InvalidConfig) as raised:
        SearchConfig(space="fashion_mnist", **settings)
    assert said in str(raised.value)


def test_settings_survive_json():
    config = SearchConfig(space="fashion_mnist", constraints=("macs<2M",), reference={"latency": 5.0})
    assert SearchConfig.model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize(
    ("text", "bound"),
    [("latency<=2ms", 2000.0), ("latency < 1.5e-3 s", 1500.0), ("latency<=300us", 300.0), ("accuracy>=90%", 90.0),
     ("accuracy>90", 90.0), ("macs<=2.5M", 2.5e6), ("macs<3", 3.0), ("params<=1G", 1e9)],
)  # fmt: skip
def test_constraints_are_held_in_the_objectives_unit(text, bound):
    units = {"latency": "us", "accuracy": "percent", "macs": "MACs", "params": "params"}
    assert Constraint.parse(text, units).bound == pytest.approx(bound)
