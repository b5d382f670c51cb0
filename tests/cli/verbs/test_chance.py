"""Weights that have learnt nothing: `gnomon evaluate` and `gnomon search` say so, and go on."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from gnomon.search import load_run
from gnomon.supernets import load_space
from gnomon.supernets.checkpoints.own_files import save_weights
from gnomon.supernets.elastic import ElasticNetwork

pytestmark = pytest.mark.slow
NOTE = "is what guessing gives"


@pytest.fixture(params=["untrained", "constant"])
def checkpoint(request, tmp_path):
    """Weights that load without any error."""
    path = tmp_path / "weights.safetensors"
    torch.manual_seed(0)
    save_weights(ElasticNetwork(load_space("fashion_mnist")), path)
    if request.param == "constant":
        weights = load_file(path)
        save_file({name: torch.zeros_like(tensor) for name, tensor in weights.items()}, path)
    return path


def test_weights_at_chance_are_said_and_the_search_goes_on(gnomon, checkpoint, tmp_path):
    outcome = gnomon("evaluate", "fashion_mnist", "--arch", "smallest", "--checkpoint", str(checkpoint))
    assert outcome.code == 0
    assert outcome.err.count(NOTE) == 1
    asked = ["search", "--space", "fashion_mnist", "--checkpoint", str(checkpoint), "--objectives", "accuracy,macs"]
    asked += ["--tactic", "random", "--budget", "3", "--out", str(tmp_path / "run")]
    outcome = gnomon(*asked)
    assert outcome.code == 0
    (line,) = [line for line in outcome.err.splitlines() if NOTE in line]
    assert line.endswith("the weights may be untrained, damaged, or of another network; the search goes on")
    assert len(load_run(tmp_path / "run").measured) == 3


def test_of_trained_weights_nothing_is_said(gnomon):
    outcome = gnomon("evaluate", "fashion_mnist", "--arch", "smallest")
    assert outcome.code == 0
    assert "note:" not in outcome.err
