"""A backend's cache lies beside the results and goes with the profile; conditions and a lost GPU are in the journal."""

import json

import pytest

from gnomon.profilers import read_results
from gnomon.profilers.errors import GpuLost
from gnomon.profilers.exits import DONE, GPU_LOST
from gnomon.profilers.results.conditions import DeviceState, sentence_of, summary_of
from gnomon.profilers.testing import FakeBackend
from gnomon.profilers.worker import worker
from gnomon.profilers.worker.cache import cache_path, hand_on_cache


class CachingBackend(FakeBackend):
    """Keeps a cache of how many models were ever loaded; loses the GPU at models that say so, and tells its clock."""

    def use_cache(self, path):
        self.path = path
        self.count = int(path.read_text()) if path.exists() else 0

    def save_cache(self):
        self.path.write_text(str(self.count))

    def conditions(self):
        return {"sm_clock_mhz": 1000 + self.count}

    def load(self, model, config):
        self.count += 1
        if "lost" in json.loads(model):
            raise GpuLost("the GPU fell off the bus")
        return super().load(model, config)


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "load_backend", lambda name: CachingBackend(lambda model: json.loads(model)["us"]))
    return tmp_path / "results.jsonl"


def test_conditions_are_recorded_with_the_anchors_and_are_no_options(results, make_plan):
    plan = make_plan(anchor={"us": [50.0], "role": "anchor"}, a={"us": [10.0]}, b={"us": [20.0]})
    assert worker.main([str(plan), "--results", str(results)]) == DONE
    found = read_results(results)
    assert len(found.conditions) == len(found.anchors) > 1
    assert {then.values["sm_clock_mhz"] for then in found.conditions} <= {1001, 1002, 1003}
    assert not found.warnings
    assert "sm_clock_mhz" not in found.sessions[0].options
    assert cache_path(results).read_text() == "3"


def test_conditions_are_summed_up_by_what_they_are():
    told = [
        {"sm_clock_mhz": 1560, "clock_limited_by": ["power cap"], "cache": "begun", "power_w": None},
        {"sm_clock_mhz": 1380, "clock_limited_by": [], "cache": "begun", "power_w": None},
    ]
    summary = summary_of([DeviceState(values, "session", 1.0) for values in told])
    assert summary == {"sm_clock_mhz": [1380, 1560], "clock_limited_by": {"power cap": 0.5}, "cache": ["begun"]}
    assert sentence_of(summary) == "cache begun; clock limited by power cap 50% of the time; sm clock mhz 1380 to 1560"


def test_a_lost_gpu_costs_one_model_and_the_next_process_goes_on(results, make_plan):
    plan = make_plan(a={"us": [10.0]}, bad={"us": [10.0], "lost": True}, b={"us": [20.0]})
    assert worker.main([str(plan), "--results", str(results)]) == GPU_LOST
    count = int(cache_path(results).read_text())
    assert worker.main([str(plan), "--results", str(results), "--crashed", "the process died with exit code 5"]) == DONE
    found = read_results(results)
    assert set(found.measurements) == {"a", "b"}
    assert [(failure.key, failure.reason) for failure in found.failures] == [
        ("bad", "GpuLost: the GPU fell off the bus")
    ]
    assert int(cache_path(results).read_text()) > count


def test_a_cache_is_handed_on_to_a_profile_and_nothing_where_there_is_none(tmp_path):
    hand_on_cache(tmp_path / "results.jsonl", tmp_path / "profile.jsonl")
    assert not list(tmp_path.iterdir())
    (tmp_path / "results.jsonl.cache").write_bytes(b"cache")
    hand_on_cache(tmp_path / "results.jsonl", tmp_path / "profile.jsonl")
    assert (tmp_path / "profile.jsonl.cache").read_bytes() == b"cache"
