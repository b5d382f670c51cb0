"""`gnomon spaces`: sizes, and where weights are."""

import pytest


def test_spaces_lists_sizes(gnomon):
    found = {row["space"]: row for row in gnomon("spaces", "--json").json}
    assert found["ofa_mobilenetv3"]["genes"] == 45
    assert found["fashion_mnist"]["weights"] == "ship"


def test_spaces_says_settings_and_different_networks(gnomon):
    found = {row["space"]: row for row in gnomon("spaces", "--json").json}
    assert found["ofa_mobilenetv3"]["networks"]["exact"]
    assert found["ofa_mobilenetv3"]["networks"]["value"] == (9**2 + 9**3 + 9**4) ** 5
    assert not found["fashion_mnist"]["networks"]["exact"]
    assert found["fashion_mnist"]["networks"]["value"] == pytest.approx(1.8e9, rel=0.1)
    shown = gnomon("spaces").out
    assert "about 1.8e+09" in shown
    assert "networks: the different sub-networks" in shown
