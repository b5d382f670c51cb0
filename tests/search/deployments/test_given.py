"""A call says by the argument's name what several profiles are: devices, or deployments on one."""

import pytest

from gnomon import SearchConfig, Study, load_profile, run_search
from gnomon.search.deployments.given import given_profiles
from gnomon.search.errors import InvalidConfig

NAMES = [f"fashion_mnist/amd-epyc-2c.{runtime}.fp32.b1.t1" for runtime in ("onnxruntime", "openvino")]


@pytest.fixture(scope="module")
def two():
    return [load_profile(name) for name in NAMES]


def test_each_argument_has_one_meaning(two):
    assert given_profiles() is None
    assert given_profiles(two[0]) is two[0]
    assert given_profiles(devices={"pi5": two[0]}) == {"pi5": two[0]}
    assert given_profiles(two[0], {"pi5": two[1]}) == {"": two[0], "pi5": two[1]}
    assert given_profiles(deployments=tuple(two)) == two


@pytest.mark.parametrize("call", [run_search, Study])
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (lambda two: {"profile": two}, r"profile holds 2 profiles, and is one; say deployments=\[profile, ...\]"),
        (lambda two: {"profile": {"a": two[0]}}, "profile holds 1 profiles, and is one; say devices="),
        (lambda two: {"profile": two[0], "deployments": two}, "and profile is given too"),
        (lambda two: {"devices": {"a": two[0]}, "deployments": two}, "and devices is given too"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_there_is_a_run(two, tmp_path, call, arguments, said):
    config = SearchConfig(space="fashion_mnist", objectives=("macs", "latency"), tactic="random", budget=4)
    with pytest.raises(InvalidConfig, match=said):
        call(config, tmp_path / "run", **arguments(two))
    assert list(tmp_path.iterdir()) == []


def test_profiles_are_given_by_name_too(tmp_path, two):
    config = SearchConfig(space="fashion_mnist", objectives=("macs", "latency@vino"), tactic="random", budget=4)
    run = run_search(config, tmp_path / "run", devices={"vino": NAMES[1]})
    assert run.header.provenance.profiles["vino"].sha256 == two[1].digest
