"""Kernels of another device, scaled by the few that were measured on both: the truth is known to these tests."""

import math
from dataclasses import replace

import numpy as np
import pytest

from gnomon.lut import LutError
from gnomon.lut.kernels.graph.cost import Cost
from gnomon.lut.kernels.graph.named import named
from gnomon.lut.kernels.measuring.build import KernelRequest, build_kernel_profile
from gnomon.lut.kernels.predict import predict_model
from gnomon.lut.kernels.profile_file.transfer import PER_SORT, KernelTransfer, SourceKernel, designed
from gnomon.lut.kernels.sample import images
from gnomon.profilers import TimingPolicy

SORTS = {"Conv": 1.6, "Relu": 2.4, "MatMul": 1.1}
POLICY = TimingPolicy(min_passes=2, max_passes=2, clean_blocks=0, time_cap_s=5.0, processes=1, network_visits=1)


@pytest.fixture
def source():
    """Forty kernels of each of three sorts on another device."""
    cost = Cost(*(1.0,) * 12)
    return {
        f"{sort}{number}": SourceKernel(f"{sort}(x0:f32[{number}])", sort, cost, 3.0 * 1.1**number)
        for sort in SORTS
        for number in range(40)
    }


def truth_us(source, noise=0.02, seed=0):
    """What the kernels take here: each sort slower by its own factor, and every kernel a little by itself."""
    rng = np.random.default_rng(seed)
    return {d: one.value_us * SORTS[one.operator] * math.exp(noise * rng.normal()) for d, one in source.items()}


def test_a_few_of_each_sort_are_measured_from_the_quickest_to_the_slowest(source):
    chosen = designed(source, [*source, "unknown"])
    assert "unknown" in chosen
    assert len(chosen) == 1 + PER_SORT * len(SORTS)
    for sort in SORTS:
        assert {f"{sort}0", f"{sort}39"} <= chosen
    assert designed({}, source) == frozenset(source)  # nothing to scale from: all are measured


def test_each_sort_has_its_own_ratio(source):
    truth = truth_us(source)
    transfer = KernelTransfer(source, {digest: truth[digest] for digest in designed(source, source)})
    errors = [abs(math.log(transfer.scaled_us(digest) / us)) for digest, us in truth.items()]
    assert np.median(errors) < 0.03
    one_ratio = [abs(transfer.common - math.log(truth[d] / source[d].value_us)) for d in source]
    assert np.median(errors) < 0.2 * np.median(one_ratio)


def test_the_doubt_of_a_scaled_kernel_holds(source):
    held = []
    for seed in range(20):
        truth = truth_us(source, noise=0.08, seed=seed)
        measured = {digest: truth[digest] for digest in designed(source, source)}
        transfer = KernelTransfer(source, measured)
        for digest in source.keys() - measured.keys():
            error = abs(math.log(transfer.scaled_us(digest) / truth[digest]))
            held.append(error <= 1.645 * transfer.doubt(source[digest].sort))
    assert 0.86 <= np.mean(held) <= 0.97


def test_a_sort_with_one_kernel_leans_on_all(source):
    measured = {"Relu0": 2.4 * source["Relu0"].value_us}
    measured |= {f"Conv{n}": 1.6 * source[f"Conv{n}"].value_us for n in range(9)}
    transfer = KernelTransfer(source, measured)
    assert transfer.log_ratio("a sort that was not measured") == transfer.common
    relu = transfer.log_ratio(source["Relu0"].sort)
    assert math.log(1.6) < relu < math.log(2.4)
    assert transfer.doubt(source["Relu0"].sort) > transfer.doubt(source["Conv0"].sort)


@pytest.mark.slow
def test_a_profile_of_another_device_saves_measuring(lawful, graphs, tmp_path):
    further = {f"inverted-{seed}": named(images.inverted(np.random.default_rng(seed))) for seed in (0, 1)}
    request = KernelRequest("onnxruntime", networks=0, policy=POLICY, further=further, source=lawful, samples=1)
    profile = build_kernel_profile(request, tmp_path / "k.jsonl")
    met = {line for name in further for line in graphs[name].counts}
    assert 0 < len(profile.measured) < len(met)
    assert profile.kernels.keys() == {*lawful.kernels, *profile.measured}
    assert [model.name for model in profile.models] == ["inverted-0"]
    assert profile.header.source.name == lawful.name
    assert "kernels measured on both" in profile.transfer.sentence()
    found = predict_model(profile, None, graphs["inverted-1"])
    assert {line.source for line in found.lines} == {"measured", "scaled"}
    assert all(line.log_ratio > 0 for line in found.lines if line.source == "scaled")


@pytest.mark.slow
def test_a_source_of_other_kernels_is_refused(lawful, tmp_path):
    other = {"Gelu": next(iter(lawful.kernels.values()))}
    further = {"inverted-0": named(images.inverted(np.random.default_rng(0)))}
    request = KernelRequest(
        "onnxruntime", networks=0, policy=POLICY, further=further, source=replace(lawful, kernels=other)
    )
    with pytest.raises(LutError, match="no kernel that the source has"):
        build_kernel_profile(request, tmp_path / "k.jsonl")
