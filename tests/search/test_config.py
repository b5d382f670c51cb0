import pytest

from gnomon.search import SearchConfig
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
        (
            {"reference": {"latenzy": 1.0}},
            "reference.latenzy: not an objective of the search (accuracy, latency); did you",
        ),
        ({"objectives": "macs"}, "objectives='macs'"),
        ({"budget": True}, "budget=True"),
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
