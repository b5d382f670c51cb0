"""The protocol with a probe, on cores of every kind: it stops on clean blocks, and says the same whoever is beside."""

import itertools

import pytest

from gnomon.profilers import TimingPolicy

MODELS = {f"layer{number}": {"us": [100.0 + number]} for number in range(5)}


@pytest.mark.parametrize(("blocks", "visits"), [(3, 2), (9, 3), (10, 4), (99, 7)])
def test_visits_go_on_until_there_are_enough_clean_blocks(run, make_plan, blocks, visits):
    policy = TimingPolicy(min_passes=2, max_passes=7, clean_blocks=blocks, blocks_per_visit=3)
    _, results, _ = run(make_plan(policy=policy, **MODELS))
    assert {measurement.visits for measurement in results.measurements.values()} == {visits}


class Readings:
    """A probe that reads one value of an iterator after the other."""

    def __init__(self, values):
        self.values = values

    def read_us(self):
        return next(self.values)

    def switches(self):
        return None


class SharedCore:
    """A core that has a neighbour at some turns, where a turn is a block; and its own probe."""

    def __init__(self, is_busy):
        self.is_busy, self.turn = is_busy, 0

    def read_us(self):
        return 35.0 if self.is_busy(self.turn) else 20.0

    def switches(self):
        return 0

    def loader(self, load):
        def load_shared(model, config):
            executable = load(model, config)
            elapsed_ns = executable.elapsed_ns

            def shared_ns(loops):
                slow = 1.6 if self.is_busy(self.turn) else 1.0
                self.turn += 1
                return round(elapsed_ns(loops) * slow)

            executable.elapsed_ns = shared_ns
            return executable

        return load_shared


def test_a_busy_core_makes_a_run_longer_and_its_latencies_no_other(run, make_plan, backend, monkeypatch):
    core = SharedCore(is_busy=lambda turn: turn % 10 < 7)
    monkeypatch.setattr(backend, "open_probe", lambda: core)
    monkeypatch.setattr(backend, "load", core.loader(backend.load))
    policy = TimingPolicy(min_passes=2, max_passes=60, clean_blocks=6)
    _, results, _ = run(make_plan(policy=policy, **MODELS))
    assert all(found.is_undisturbed and found.visits > 3 for found in results.measurements.values())
    assert {key: found.value_us for key, found in results.measurements.items()} == pytest.approx(
        {key: wish["us"][0] for key, wish in MODELS.items()}, rel=1e-3
    )
    assert results.contention.slow_down == pytest.approx(1.75)


@pytest.fixture
def beside_networks(backend, monkeypatch):
    """A core that has a neighbour whenever whole networks run, but for a few blocks now and then."""
    is_network = [False]
    core = SharedCore(is_busy=lambda turn: is_network[0] and turn % 61 > 8)
    load_shared = core.loader(backend.load)

    def load(model, config):
        executable = load_shared(model, config)
        elapsed_ns = executable.elapsed_ns

        def noted_ns(loops):
            is_network[0] = b'"role": "network"' in model
            return elapsed_ns(loops)

        executable.elapsed_ns = noted_ns
        return executable

    monkeypatch.setattr(backend, "open_probe", lambda: core)
    monkeypatch.setattr(backend, "load", load)


def test_a_run_is_at_its_total_only_at_its_end_where_only_networks_are_left(run, make_plan, beside_networks):
    layers = {f"layer{number}": {"us": [100.0 + number]} for number in range(30)}
    others = {"network": {"us": [900.0], "role": "network"}, "anchor": {"us": [50.0], "role": "anchor"}}
    policy = TimingPolicy(min_passes=2, max_passes=99, clean_blocks=8, blocks_per_visit=4, warmup_us=500, processes=1)
    _, results, reports = run(make_plan(policy=policy, **layers, **others))
    visits = [visit.role for visit in results.visits]
    only_networks = len(visits) - visits[::-1].index("layer")
    assert len(visits) - only_networks > 50
    assert [report["done"] for report in reports if report["done"] == report["total"]] == [len(visits)]
    assert all(report["total"] > len(visits) / 2 for report in reports[only_networks:])


def test_where_the_probe_never_settles_the_run_ends_all_the_same(run, make_plan, backend, monkeypatch):
    readings = (20.0 * 1.3**number for number in itertools.cycle((3, 0, 5, 1, 4, 2)))  # no two of them alike
    monkeypatch.setattr(backend, "open_probe", lambda: Readings(readings))
    policy = TimingPolicy(min_passes=3, max_passes=60, settle_s=1e-9)
    _, results, _ = run(make_plan(policy=policy, **MODELS))
    assert results.is_complete
    assert {found.visits for found in results.measurements.values()} == {3}
    assert not any(found.is_undisturbed for found in results.measurements.values())
    assert all(found.relative_iqr > 0.1 for found in results.measurements.values())


def test_a_device_without_a_probe_is_timed_as_ever(run, make_plan, unprobed):
    _, results, _ = run(make_plan(**MODELS))
    assert results.contention is None
    assert {found.contention for found in results.measurements.values()} == {None}
