"""Two kernel profiles are compared by kernel, with the same verdicts as layers."""

import dataclasses
import math

import numpy as np
import pytest

from gnomon.lut import ProfileMismatch, diff_kernel_profiles, diff_sources, load_profile, shipped_profiles
from gnomon.lut.kernels.graph.cost import Cost
from gnomon.lut.kernels.profile_file.profile import KernelProfile, MeasuredKernel, own_us
from gnomon.lut.kernels.profile_file.records import KernelHeader
from gnomon.lut.profile_file.schema import ProfileConfig
from gnomon.profilers import Measurement, RunConfig

COST = Cost(*(1.0,) * 12)
CALL_US = 5.0
HEADER = KernelHeader(
    gnomon="0", backend="fake", config=ProfileConfig(**RunConfig().to_json()), versions={"fake": "1.0"}, options={},
    device="here", hardware={"cpus": 2}, policy={}, plan="", created="", sessions=1, session_starts_s={}, seconds=1.0,
)  # fmt: skip


def profiled(seed, *, factor_of=lambda number: 1.0, kernels=60, **changes):
    """Measure kernels of 20 to 200 us in a simulated session, some of them changed by a factor."""
    rng = np.random.default_rng(seed)
    found = {}
    for number in range(kernels):
        us = (20 + 3 * number) * factor_of(number) * math.exp(0.003 * rng.normal())
        visits = tuple(tuple((CALL_US + us) * np.exp(0.005 * rng.normal(size=3))) for _ in range(8))
        measurement = Measurement(tuple(tuple(float(v) for v in visit) for visit in visits), 10)
        value_us = own_us(measurement, CALL_US, 1)
        found[str(number)] = MeasuredKernel(f"Conv{number}", "Conv", COST, value_us, 0.01, measurement)
    header = HEADER.model_copy(update=changes)
    return KernelProfile(f"p{seed}", header, CALL_US, found, (), ())


def test_nothing_changed_between_two_sessions():
    found = diff_kernel_profiles(profiled(1), profiled(2))
    assert not found.changed
    assert "no kernel changed beyond noise" in found.summary
    assert found.environment == ()


def test_kernels_that_became_slower_are_named_and_the_environment_comes_first():
    slower = profiled(2, factor_of=lambda number: 1.2 if number < 3 else 1.0, versions={"fake": "2.0"})
    found = diff_kernel_profiles(profiled(1), slower)
    assert {change.key for change in found.changed} == {"Conv0", "Conv1", "Conv2"}
    assert [one.field for one in found.environment] == ["versions.fake"]
    assert "3 of 60 kernels changed by themselves" in found.summary


def test_a_device_that_is_slower_as_a_whole_is_told_as_such():
    found = diff_kernel_profiles(profiled(1), profiled(2, factor_of=lambda number: 1.3))
    assert found.is_common
    assert "all kernels changed by a common factor x1.3" in found.summary


def test_a_kernel_that_the_call_hides_is_not_called_changed():
    """Of a kernel of .1 us after a call of 5 us, an error of half a percent is a quarter of it."""
    hidden = [
        dataclasses.replace(
            profile,
            kernels={
                **profile.kernels,
                "short": dataclasses.replace(
                    profile.kernels["0"],
                    key="short",
                    value_us=us,
                    measurement=Measurement(((CALL_US + us, CALL_US + us + 0.02, CALL_US + us - 0.02),) * 8, 10),
                ),
            },
        )
        for profile, us in ((profiled(1), 0.10), (profiled(2), 0.12))
    ]
    found = diff_kernel_profiles(*hidden)
    assert next(one for one in found.layers if one.key == "short").verdict == "unsure"


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ProfileMismatch, match="no measured kernel in common"):
        diff_kernel_profiles(profiled(1), dataclasses.replace(profiled(2), kernels={}))
    space = load_profile(next(iter(shipped_profiles())))
    with pytest.raises(ProfileMismatch, match="compare two of one kind"):
        diff_sources(profiled(1), space)
