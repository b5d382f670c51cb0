"""A final front as an application sees it: how members start, and their latencies with pauses."""

import json

import pytest

from gnomon.search import SearchConfig, SearchContext, load_run, search_in_context
from gnomon.search.errors import RunMismatch
from gnomon.search.final.final import final_front
from gnomon.search.final.front import load_final
from gnomon.search.testing.contracts import AnalyticSupernet

pytestmark = pytest.mark.slow


@pytest.fixture
def profile(tiny, measured):
    return measured("tiny", "fake")


@pytest.fixture
def supernet(tiny):
    return AnalyticSupernet(tiny)


@pytest.fixture
def run(tmp_path, supernet, profile):
    config = SearchConfig(space="tiny", objectives=("accuracy", "latency"), tactic="random", budget=4, population=2)
    provenance = {"profile": {"name": profile.name, "sha256": profile.digest}, "checkpoint_sha256": "c" * 64}
    context = SearchContext(supernet.space, supernet, profile.latency)
    return search_in_context(context, config, tmp_path / "run", provenance=provenance)


def test_members_are_timed_with_pauses_and_the_common_factor_is_said(run, supernet, profile):
    final = final_front(run, supernet=supernet, profile=profile, controls=0, period_ms=2.0)
    for member in final.members:
        seen = final.timings[member.id].seen
        assert (seen.loads, seen.paced_us, seen.factor.ratio) == (5, final.timings[member.id].measured_us, 1.0)
        assert len(seen.paced_block_us) >= 5
    effect = final.pauses
    assert (effect.networks, effect.period_ms, effect.factor) == (len(final.members), 2.0, 1.0)
    assert (effect.least, effect.most, effect.kendall) == (1.0, 1.0, pytest.approx(1.0))
    assert effect.low < 1 < effect.high
    assert effect.longer_us == 0.0
    sealed = json.loads((run.folder / "final.json").read_text())
    assert sealed["pauses"]["factor"] == 1.0
    assert "paced_block_us" not in sealed["members"][0]["seen"]
    assert load_final(load_run(run.folder)).pauses == effect
    with pytest.raises(RunMismatch, match="period_ms") as raised:
        final_front(run, supernet=supernet, profile=profile, controls=0)
    assert tuple(raised.value.fields) == ("period_ms",)


def test_a_period_without_a_profile_is_refused(run, supernet):
    with pytest.raises(RunMismatch, match="give a profile made here"):
        final_front(run, supernet=supernet, period_ms=33.0)


def test_without_a_period_the_start_alone_is_timed(run, supernet, profile):
    final = final_front(run, supernet=supernet, profile=profile, controls=0)
    assert {timing.seen.loads for timing in final.timings.values()} == {3}
    assert final.pauses is None
