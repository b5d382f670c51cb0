import pytest

from gnomon.search import SearchConfig
from gnomon.search.errors import InvalidConfig, InvalidConstraint


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


@pytest.mark.parametrize("tactic", ["gnomon", "random", "evolutionary"])
def test_a_surrogate_that_the_tactic_does_not_have_is_refused(tactic):
    from gnomon.search.tactic import check_names

    with pytest.raises(InvalidConfig, match=f"surrogate='svr' has no effect: the tactic {tactic}") as raised:
        check_names(SearchConfig(space="fashion_mnist", tactic=tactic, surrogate="svr"))
    assert raised.value.field == "surrogate"
    check_names(SearchConfig(space="fashion_mnist", tactic="linas", surrogate="svr"))


def test_the_number_of_a_deployment_cannot_be_bounded(tmp_path):
    from gnomon.search import search_in_context
    from gnomon.search.testing.contracts import fake_context

    config = SearchConfig(space="fashion_mnist", objectives=("accuracy", "latency"), constraints=("deployment<=0",))
    with pytest.raises(InvalidConstraint, match="'deployment<=0' is on 'deployment', which the run does not measure"):
        search_in_context(fake_context(config.space), config, tmp_path / "run", provenance={})
