import os
import sys
import time
from types import SimpleNamespace

import pytest

from gnomon.profilers import TimingPolicy
from gnomon.profilers.testing import ScriptedExecutable, ScriptedProbe
from gnomon.profilers.timing import probe as probes
from gnomon.profilers.timing.probe import KEPT, WARM, EveryCoreProbe, MatmulProbe, is_readable, open_probe
from gnomon.profilers.timing.protocol import take_probed_visit


def test_a_reading_is_eight_products_after_two_thrown_away(monkeypatch):
    products = []
    probe = MatmulProbe(clock_ns=lambda: 1_000 * len(products))
    monkeypatch.setattr(probe, "_multiply", lambda left, right, out: products.append(left.shape))
    assert probe.read_us() == KEPT
    assert products == [(32, 32)] * (WARM + KEPT)


def test_this_machine_can_be_probed():
    probe = open_probe()
    assert probe.read_us() > 0
    assert probe.switches() is None or probe.switches() >= 0


@pytest.mark.parametrize("resolution_s", [1e-3, 0.0156])
def test_a_clock_of_a_millisecond_or_worse_has_no_probe(monkeypatch, resolution_s):
    monkeypatch.setattr(time, "get_clock_info", lambda name: SimpleNamespace(resolution=resolution_s))
    assert open_probe() is None


needs_affinity = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux only")


@needs_affinity
def test_with_a_thread_on_every_core_the_slowest_core_counts():
    allowed = os.sched_getaffinity(0)
    seen = []

    class OnCore(ScriptedProbe):
        def read_us(self):
            seen.append(os.sched_getaffinity(0))
            return 20.0 + len(seen)

    assert EveryCoreProbe(OnCore(), sorted(allowed)).read_us() == 20.0 + len(allowed)
    assert seen == [{cpu} for cpu in sorted(allowed)]
    assert os.sched_getaffinity(0) == allowed


@needs_affinity
def test_a_core_that_may_not_be_used_is_left_out():
    allowed = os.sched_getaffinity(0)
    assert EveryCoreProbe(ScriptedProbe((20.0,)), [1023]).read_us() == 20.0
    assert os.sched_getaffinity(0) == allowed


@needs_affinity
@pytest.mark.parametrize(
    ("cpus", "threads", "kind"), [({0, 1}, 2, EveryCoreProbe), ({0, 1}, 1, MatmulProbe), (range(8), 2, MatmulProbe)]
)
def test_every_core_is_read_only_where_the_threads_take_them_all(monkeypatch, cpus, threads, kind):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(cpus))
    assert type(open_probe(threads)) is kind


def test_a_clock_that_says_it_is_fine_and_is_not_has_no_probe(monkeypatch):
    monkeypatch.setattr(probes, "MatmulProbe", lambda: ScriptedProbe((0.0, 1_000.0, 0.0)))
    assert open_probe() is None
    assert is_readable(ScriptedProbe((20.0,)))


def test_where_switches_are_not_counted_none_are_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "resource", None)
    probe = MatmulProbe()
    assert probe.switches() is None
    taken = take_probed_visit(ScriptedExecutable((100.0,)), TimingPolicy(), loops=1, probe=probe)
    assert taken.switches == ()
    assert len(taken.probe_us) == len(taken.block_us) + 1


def test_every_block_lies_between_two_readings():
    probe = ScriptedProbe((20.0, 21.0, 35.0, 22.0))
    policy = TimingPolicy(warmup_us=10_000, settling_us=0, blocks_per_visit=3)
    taken = take_probed_visit(ScriptedExecutable((900.0, 900.0, 100.0, 170.0, 101.0)), policy, loops=7, probe=probe)
    assert taken.block_us == (100.0, 170.0, 101.0)
    assert taken.probe_us == (20.0, 21.0, 35.0, 22.0)
    assert taken.switches == (0, 0, 0)


@pytest.mark.parametrize(("us", "settling"), [(999.0, [1]), (1_001.0, [])])
def test_what_the_probe_left_in_the_caches_falls_on_an_inference_that_does_not_count(us, settling):
    executable = ScriptedExecutable((us,))
    policy = TimingPolicy(warmup_us=2_000, settling_us=1_000, blocks_per_visit=2)
    take_probed_visit(executable, policy, loops=5, probe=ScriptedProbe())
    assert executable.calls == [5, *settling, 5, *settling, 5]


def test_a_slow_model_gets_fewer_blocks_but_one_at_least():
    policy = TimingPolicy(blocks_per_visit=8, visit_us=60_000)
    for us, blocks in ((10_000.0, 3), (500_000.0, 1)):
        taken = take_probed_visit(ScriptedExecutable((us,)), policy, loops=1, probe=ScriptedProbe())
        assert len(taken.block_us) == blocks


@pytest.mark.parametrize("probe", [ScriptedProbe((20.0, 0.0)), ScriptedProbe((20.0,))])
def test_a_clock_that_stands_still_is_an_error(probe):
    us = 0.0 if probe.read_us() and probe.read_us() else 100.0
    with pytest.raises(ValueError, match="too coarse"):
        take_probed_visit(ScriptedExecutable((us,)), TimingPolicy(), loops=1, probe=probe)
