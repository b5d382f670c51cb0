"""Weights of a plain network of the user's own blocks, as torch saves them, in the super-network of these blocks."""

import re
import runpy
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from gnomon.profilers.run_config import RunConfig
from gnomon.profilers.runtimes.registry import load_backend
from gnomon.supernets import CheckpointMismatch
from gnomon.supernets.checkpoints import load_checkpoint
from gnomon.supernets.elastic import ElasticNetwork
from gnomon.supernets.graph import INPUT
from gnomon.supernets.supernet import load_supernet

pytestmark = pytest.mark.slow


@pytest.fixture
def plain(mixer):
    """The largest network of the third party's blocks, as its author would write it, with statistics of its own."""
    import mixer_net

    torch.manual_seed(0)
    network = nn.Sequential(
        OrderedDict(
            stem=mixer_net.Stem(32),
            first=mixer_net.Mixer(32, 7, 64),
            second=mixer_net.Mixer(32, 7, 64),
            head=mixer_net.Head(32, 10),
        )
    )
    with torch.no_grad():
        for _ in range(5):
            network(torch.rand(64, 1, 28, 28))
    return network.eval().requires_grad_(False)


def test_the_largest_is_the_plain_network_evaluated_and_exported(mixer, plain, full_data, tmp_path):
    torch.save(plain.state_dict(), tmp_path / "plain.pth")
    supernet = load_supernet("mixer_net", checkpoint=tmp_path / "plain.pth", data=full_data)
    largest = mixer.architecture(mixer.radices - 1)
    inputs = supernet.split("test").inputs()
    expected = plain(torch.from_numpy(inputs)).numpy()
    (answered,) = supernet.answers(largest, "test").arrays
    assert np.abs(answered - expected).max() < 1e-5
    (part,) = supernet.models(largest, batch=len(inputs))
    with load_backend("onnxruntime").load(part.model, RunConfig(batch=len(inputs))) as executable:
        (exported,) = executable.run({INPUT: inputs}).values()
    assert np.abs(exported - expected).max() < 1e-4
    smallest = mixer.architecture(mixer.radices * 0)
    assert supernet.network.own_statistics(smallest) is None
    assert supernet.answers(smallest, "test").arrays[0].shape == expected.shape


def test_the_documented_way_to_make_such_a_file_works(mixer, tmp_path, monkeypatch):
    text = (Path(__file__).parents[3] / "docs" / "spaces.md").read_text(encoding="utf-8")
    (code,) = [block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "plain.pth" in block]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "documented.py").write_text(code)
    runpy.run_path(str(tmp_path / "documented.py"))
    network = ElasticNetwork(mixer)
    load_checkpoint(network, tmp_path / "plain.pth")
    assert network.own_statistics(network.largest)


def test_what_does_not_fit_is_named(mixer, plain, tmp_path):
    network = ElasticNetwork(mixer)
    for broken, said in (
        (lambda t: t.pop("second.norm.weight"), "norm_weight' is absent"),
        (lambda t: t.pop("second.norm.running_mean"), "second.mixer.norm are absent"),
        (lambda t: t.update({"third.weight": torch.ones(1)}), "'third.weight' is .* has none"),
    ):
        tensors = plain.state_dict()
        broken(tensors)
        torch.save(tensors, tmp_path / "plain.pth")
        with pytest.raises(CheckpointMismatch, match=said):
            load_checkpoint(network, tmp_path / "plain.pth")
