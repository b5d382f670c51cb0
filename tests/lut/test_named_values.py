"""Layers of several inputs, and of whole and single numbers, in what a table is used for: lint, prediction, words."""

from importlib import import_module

import pytest

from gnomon.cli.printing.explanation import label
from gnomon.lut import LatencyTable, with_predictions
from gnomon.lut.latency_model.regression import SizeCurves
from gnomon.lut.latency_model.terms import border_kib
from gnomon.lut.lint.finding import Rows, spec_of
from gnomon.lut.lint.order import not_monotone
from gnomon.lut.lint.physics import features, work_of
from gnomon.profilers.timing.measurement import Measurement
from gnomon.supernets.layers.registry import macs


def likely_us(spec):
    return 5.0 + border_kib(spec) + macs(spec) / 1e4


@pytest.mark.parametrize("name", ["recommender", "unet", "detector", "keyword_spotting"])
def test_every_layer_is_understood_by_the_linter(torch_spaces, name):
    layers = torch_spaces(name).unique_layers()
    assert [spec_of(spec.key) for spec in layers] == list(layers)
    assert features(layers).shape[0] == len(layers)
    assert list(not_monotone(Rows({spec.key: likely_us(spec) for spec in layers}))) == []


def test_all_that_a_layer_takes_is_moved(torch_spaces):
    (up1,) = [slot for slot in torch_spaces("unet").slots if slot.name == "up1"]
    small, wider_skip = up1.specs[0], up1.specs[2]
    assert [one.shape for one in wider_skip.inputs] == [(8, 8, 8), (8, 16, 16)]
    assert work_of(wider_skip)[2] - work_of(small)[2] == 2 * 4 * 256  # the skip, and the output that is as wide


def test_a_layer_of_several_inputs_is_no_size_of_another(torch_spaces):
    layers = torch_spaces("unet").unique_layers()
    known = {spec: likely_us(spec) for spec in layers if len(spec.inputs) < 2}
    curves = SizeCurves.of(known)
    assert [curves.at(spec) for spec in layers if len(spec.inputs) > 1] == [None] * 4


def test_a_layer_that_was_not_measured_is_predicted_from_its_like(torch_spaces):
    declared = import_module("recommender").Recommender()
    declared.choices["user_width"] = (8, 12, 16, 24, 32)
    layers = [spec for spec in declared.space("recommender").unique_layers() if "name=tower" in spec.key]
    wanted, *others = layers
    table = LatencyTable({spec.key: Measurement(((likely_us(spec),),), 1) for spec in others}, {})
    assert len(others) >= 10
    completed = with_predictions(table, layers)
    assert completed.value_us(wanted) == pytest.approx(likely_us(wanted), rel=0.2)


def test_layers_are_described_with_all_that_they_take(torch_spaces):
    space = torch_spaces("recommender")
    words = {slot.name: label(slot.specs[-1], slot) for slot in space.slots if slot.specs[-1]}
    assert words["user_table"] == "module scalar > 32 width 32"
    assert words["joined"].startswith("module 64+64 > 2 hidden 32")
