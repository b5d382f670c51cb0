"""A CPU quota: what it stopped is disturbed, and the run says how often it did."""

import pytest

from gnomon.profilers import TimingPolicy
from gnomon.profilers.machine.noise.limits import QuotaUse, quota_use
from gnomon.profilers.testing import ScriptedProbe
from gnomon.profilers.worker import session, worker
from gnomon.profilers.worker.quota import QuotaProbe, under_quota

HALF = {"sys/devices/system/cpu/online": "0-1", "proc/self/cgroup": "4:cpu,cpuacct:/half\n"}
GROUP = "sys/fs/cgroup/cpu,cpuacct/half"


def written(root, files):
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


def test_a_quota_is_read_from_both_versions_of_control_groups(tmp_path):
    old = {
        **HALF,
        f"{GROUP}/cpu.cfs_quota_us": "50000",
        f"{GROUP}/cpu.cfs_period_us": "100000",
        f"{GROUP}/cpu.stat": "nr_periods 9\nnr_throttled 4\nthrottled_time 1500000000\n",
    }
    assert quota_use(written(tmp_path / "1", old)) == QuotaUse(0.5, 50.0, 4, 1.5)
    new = {
        "proc/self/cgroup": "0::/half\n",
        "sys/fs/cgroup/half/cpu.max": "25000 50000",
        "sys/fs/cgroup/half/cpu.stat": "nr_periods 9\nnr_throttled 2\nthrottled_usec 300000\n",
    }
    assert quota_use(written(tmp_path / "2", new)) == QuotaUse(0.5, 25.0, 2, 0.3)


@pytest.mark.parametrize("quota_us", ["-1", "200000"])
def test_no_limit_and_one_of_all_cpus_are_none(tmp_path, quota_us):
    files = {**HALF, f"{GROUP}/cpu.cfs_quota_us": quota_us, f"{GROUP}/cpu.cfs_period_us": "100000"}
    assert quota_use(written(tmp_path, files)) is None
    probe = ScriptedProbe()
    assert under_quota(probe, lambda: quota_use(tmp_path)) is probe
    assert under_quota(None, lambda: QuotaUse(0.5, 50.0, 0, 0.0)) is None


class Throttled:
    """A group that is stopped in every third block, 50 ms each time, unseen by the thread that waits."""

    def __init__(self):
        self.blocks, self.stops = 0, 0

    def quota(self):
        return QuotaUse(0.5, 50.0, self.stops, self.stops * 0.05)

    def loader(self, load):
        def load_throttled(model, config):
            executable = load(model, config)
            elapsed_ns = executable.elapsed_ns

            def elapsed(loops):
                self.blocks += 1
                self.stops += self.blocks % 3 == 0
                return elapsed_ns(loops) + 50_000_000 * (self.blocks % 3 == 0)

            executable.elapsed_ns = elapsed
            return executable

        return load_throttled


def test_what_a_quota_stopped_does_not_count_and_the_run_says_how_often_it_did(run, make_plan, backend, monkeypatch):
    group = Throttled()
    monkeypatch.setattr(backend, "load", group.loader(backend.load))
    monkeypatch.setattr(session, "quota_use", group.quota)
    monkeypatch.setattr(worker, "under_quota", lambda probe: QuotaProbe(probe, group.quota))
    policy = TimingPolicy(min_passes=2, max_passes=60, clean_blocks=6)
    models = {f"layer{number}": {"us": [100.0 + number]} for number in range(5)}
    _, results, _ = run(make_plan(policy=policy, **models, anchor={"us": [50.0], "role": "anchor"}))
    assert all(found.is_undisturbed for found in results.measurements.values())
    assert results.measurements["layer3"].value_us == pytest.approx(103.0)
    told = results.conditions[-1].values
    assert (told["cpu_quota_cpus"], told["cpu_quota_slice_ms"]) == (0.5, 50.0)
    assert 0 < told["cpu_quota_stops"] <= group.stops
