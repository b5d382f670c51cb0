"""Settings are said once: the tables hold what the library's requests and the command line's options are made of."""

import inspect
import math

import pytest
import typer

import gnomon
from gnomon.cli.main import app
from gnomon.lut import ProfileRequest
from gnomon.lut.latency_model.model import MIN_NETWORKS
from gnomon.profilers.run_config import RunConfig
from gnomon.profilers.timing.protocol import TimingPolicy
from gnomon.search import SearchConfig, Workers
from gnomon.search.errors import InvalidConfig
from gnomon.settings import PROFILE, SEARCH, WORKERS, Setting

VERBS = typer.main.get_command(app).commands


def test_a_search_has_no_setting_without_an_option_but_the_reference():
    assert set(SearchConfig.model_fields) == {"space", "reference", *SEARCH}
    assert {option.name for option in VERBS["search"].params} >= {"space", *SEARCH}


def test_workers_have_an_option_a_field_and_bounds():
    fields = inspect.signature(Workers).parameters
    assert {name: field.default for name, field in fields.items()} == {n: s.default for n, s in WORKERS.items()}
    assert {option.name for option in VERBS["search"].params} >= set(WORKERS)
    for name in ("workers", "worker_cpus", "worker_gpus"):
        with pytest.raises(InvalidConfig, match=f"{name}=-1: expected a finite number, "):
            Workers(**{name: -1})


@pytest.mark.parametrize("name", SEARCH)
def test_a_search_takes_what_its_option_gives(name):
    setting = SEARCH[name]
    several = setting.separator or setting.is_repeated
    value = {str: "macs", int: 7, float: 0.5}[setting.kind]
    config = SearchConfig(space="fashion_mnist", **{name: (value,) if several else value})
    assert getattr(config, name) == ((value,) if several else value)
    assert getattr(SearchConfig(space="fashion_mnist"), name) == setting.default


@pytest.mark.parametrize("name", [name for name, setting in SEARCH.items() if setting.kind is not str])
def test_a_search_refuses_what_lies_out_of_bounds(name):
    setting = SEARCH[name]
    value = setting.kind(max(setting.least, setting.above, -1.0) - (setting.kind is int))
    with pytest.raises(InvalidConfig, match=f"{name}={value}: expected a finite number, "):
        SearchConfig(space="fashion_mnist", **{name: value})


def test_a_profile_has_the_defaults_of_what_it_is_measured_with():
    asked = {name: setting.default for name, setting in PROFILE.items()}
    assert TimingPolicy().time_cap_s == asked.pop("time_cap_s")
    assert ProfileRequest("fashion_mnist", "onnxruntime").networks == asked["networks"]
    parameters = inspect.signature(gnomon.profile).parameters
    assert {name: parameters[name].default for name in asked} == asked
    networks = asked.pop("networks")
    assert RunConfig() == RunConfig(**asked)
    assert MIN_NETWORKS == PROFILE["networks"].least <= networks


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (1, ""),
        (0.001, ""),
        (None, ""),
        (0, "expected a finite number, above 0 and at most 1"),
        (1.1, "expected a finite number, above 0 and at most 1"),
        (math.nan, "expected a finite number, above 0 and at most 1"),
    ],
)
def test_bounds_say_what_was_expected(value, fault):
    assert Setting("Share.", 0.1, float, above=0, most=1).fault(value) == fault
    assert "finite" in Setting("Seconds.", None, float, above=0).fault(math.inf)
