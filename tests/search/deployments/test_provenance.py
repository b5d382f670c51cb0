import json

import pytest

from gnomon.search import SearchConfig, load_run, search_in_context
from gnomon.search.deployments.provenance import Provenance
from gnomon.search.errors import InvalidConfig, RunDamaged
from gnomon.search.testing.contracts import fake_context

CONFIG = SearchConfig(space="fashion_mnist", objectives=("accuracy", "macs"), tactic="random", budget=3, population=3)
HELD = {
    "profile": None,
    "deployments": [{"name": "p", "sha256": "ab", "backend": "ort", "precision": "int8", "threads": 2, "cores": "big"}],
    "weight_bits": 7,
    "data": None,
    "camera": {"lens": "wide"},
}


def test_it_is_written_as_it_was_said():
    assert json.loads(Provenance.read(HELD).model_dump_json()) == HELD
    assert list(Provenance.read(HELD).model_dump()) == list(HELD)
    assert Provenance.read({}).model_dump() == {}


def test_what_is_not_said_has_its_meaning():
    nothing = Provenance.read({})
    assert (nothing.precision, nothing.weight_bits, nothing.deployments, nothing.sources) == ("fp32", None, (), {})


def test_every_latency_has_its_profile():
    two = {"profile": {"name": "a", "sha256": "1"}, "profiles": {"pi5": {"name": "b", "sha256": "2"}}}
    assert {name: one.name for name, one in Provenance.read(two).sources.items()} == {
        "latency": "a",
        "latency@pi5": "b",
    }


def test_unknown_keys_of_a_run_are_kept_and_written_back(tmp_path):
    search_in_context(fake_context(), CONFIG, tmp_path / "run", provenance=HELD)
    again = search_in_context(
        fake_context(), CONFIG.model_copy(update={"budget": 5}), tmp_path / "run", provenance=HELD
    )
    assert again.header.config.budget == 5  # so it was written anew
    assert json.loads((tmp_path / "run" / "run.json").read_text())["provenance"] == HELD


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"profile": "p"}, "provenance.profile"),
        ({"profile": {"name": "p"}}, "provenance.profile.sha256"),
        ({"deployments": [{"name": "p", "sha256": "ab"}]}, "provenance.deployments.0.backend"),
        ({"weight_bits": "seven"}, "provenance.weight_bits"),
    ],
)
def test_damage_is_said_by_field(tmp_path, wrong, where):
    with pytest.raises(InvalidConfig) as refused:
        search_in_context(fake_context(), CONFIG, tmp_path / "new", provenance=wrong)
    assert str(refused.value).startswith(where)
    assert not (tmp_path / "new").exists()
    search_in_context(fake_context(), CONFIG, tmp_path / "run", provenance={})
    path = tmp_path / "run" / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"provenance": wrong}))
    with pytest.raises(RunDamaged, match=f"is not a run's description: {where}"):
        load_run(tmp_path / "run")
