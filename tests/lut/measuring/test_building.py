"""The folder in which a run waits: removed when its profile is there, after a kill too, and not before."""

import pytest

from gnomon.lut import ProfileRequest, build_profile
from gnomon.outputs import OutputUnusable


@pytest.fixture
def request_(tiny, quick_policy):
    return ProfileRequest("tiny", "fake", networks=12, policy=quick_policy)


def stop(event):
    raise KeyboardInterrupt


@pytest.mark.slow
def test_a_run_that_was_killed_when_its_profile_was_there_is_removed_by_the_next_call(request_, out, monkeypatch):
    with monkeypatch.context() as killed:
        killed.setattr("gnomon.lut.measuring.building.discard", lambda folder: None)
        build_profile(request_, out)
    building = out.with_name("p.jsonl.building")
    before = out.read_bytes()
    assert building.is_dir()
    with pytest.raises(OutputUnusable, match="is there already"):
        build_profile(request_, out)
    assert not building.exists()
    assert out.read_bytes() == before


@pytest.mark.slow
def test_an_interrupted_run_that_is_to_replace_a_profile_is_not_taken_for_a_finished_one(request_, out, journal):
    build_profile(request_, out)
    with pytest.raises(KeyboardInterrupt):
        build_profile(request_, out, force=True, on_progress=stop)
    visits = journal.read_bytes().count(b'"record":"visit"')
    assert visits
    with pytest.raises(OutputUnusable, match="is there already"):
        build_profile(request_, out)
    assert journal.read_bytes().count(b'"record":"visit"') == visits
