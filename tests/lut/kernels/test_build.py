"""A kernel profile is measured as a hardware profile is: interrupted it goes on, and what was measured is kept."""

import errno

import numpy as np
import pytest

from gnomon import outputs
from gnomon.lut import ProfileMismatch
from gnomon.lut.errors import ProfileDamaged
from gnomon.lut.kernels.graph.named import named
from gnomon.lut.kernels.measuring.build import KernelRequest, build_kernel_profile
from gnomon.lut.kernels.profile_file.lines import validated
from gnomon.lut.kernels.sample import sequences
from gnomon.outputs import OutputUnusable
from gnomon.profilers import TimingPolicy
from gnomon.profilers.results.parsing import read_results

pytestmark = pytest.mark.slow

POLICY = TimingPolicy(min_passes=2, max_passes=2, clean_blocks=0, time_cap_s=5.0, processes=1, network_visits=1)
SMALL = {"small": named(sequences.recurrent(np.random.default_rng(1)))}
REQUEST = KernelRequest("onnxruntime", networks=0, policy=POLICY, further=SMALL)


def stop(event):
    raise KeyboardInterrupt


def test_an_interrupted_run_goes_on_and_another_request_does_not_take_it_over(tmp_path):
    out = tmp_path / "k.jsonl"
    with pytest.raises(KeyboardInterrupt):
        build_kernel_profile(REQUEST, out, on_progress=stop)
    journal = tmp_path / "k.jsonl.building" / "results.jsonl"
    assert read_results(journal).visits
    other = KernelRequest("onnxruntime", networks=0, policy=TimingPolicy(min_passes=3), further=SMALL)
    with pytest.raises(ProfileMismatch, match="interrupted run of another request"):
        build_kernel_profile(other, out)
    profile = build_kernel_profile(REQUEST, out)
    assert profile.header.sessions == 2
    assert not journal.parent.exists()
    with pytest.raises(OutputUnusable, match="is there already"):
        build_kernel_profile(REQUEST, out)


def test_a_disk_full_at_the_end_keeps_what_was_measured(tmp_path, monkeypatch):
    def full(path):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(outputs, "sync", full)
        with pytest.raises(OutputUnusable, match=r"No space left.*what was measured is kept in .*k\.jsonl\.building"):
            build_kernel_profile(REQUEST, tmp_path / "k.jsonl")
    assert build_kernel_profile(REQUEST, tmp_path / "k.jsonl").header.sessions == 1


@pytest.mark.parametrize("wrong", [{"probe_us": [[1.0]]}, {"at_s": [1.0, 2.0]}, {"switches": [[0]]}])
def test_readings_that_are_not_of_the_blocks_are_named_by_their_line(tmp_path, wrong):
    timed = {"key": "call", "loops": 1, "block_us": [[1.0, 1.0]], "at_s": [1.0], "probe_us": [[1.0, 1.0, 1.0]]}
    assert validated(tmp_path / "k.jsonl", 7, {"record": "call", "timed": timed}).timed.loops == 1
    with pytest.raises(ProfileDamaged, match=r"k\.jsonl, line 7: "):
        validated(tmp_path / "k.jsonl", 7, {"record": "call", "timed": timed | wrong})
