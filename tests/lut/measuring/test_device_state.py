"""What a device found out and told while a profile was measured goes with the profile."""

import pytest

from gnomon.lut import ProfileRequest, build_profile
from gnomon.profilers.journal import Journal
from gnomon.profilers.results.parsing import read_results
from gnomon.profilers.transports.local import LocalDevice
from gnomon.profilers.worker.cache import cache_path


class TellingDevice(LocalDevice):
    """This machine, with a cache that grows by a letter a run, and a clock."""

    def __init__(self):
        self.found = []

    def run(self, plan_folder, results, *, on_progress=None):
        super().run(plan_folder, results, on_progress=on_progress)
        cache = cache_path(results)
        self.found.append(cache.read_bytes() if cache.exists() else b"")
        cache.write_bytes(self.found[-1] + b"a")
        session = read_results(results).sessions[0].id
        with Journal(results) as journal:
            for clock in (1380, 1560):
                told = {"sm_clock_mhz": clock}
                journal.append({"record": "conditions", "session": session, "t_s": 1.0, "conditions": told})


@pytest.fixture
def request_(tiny, quick_policy):
    return ProfileRequest("tiny", "fake", networks=12, policy=quick_policy)


@pytest.mark.slow
def test_a_cache_stays_beside_the_profile_and_is_there_when_it_is_measured_again(request_, tmp_path):
    out, device = tmp_path / "p.jsonl", TellingDevice()
    build_profile(request_, out, device=device)
    build_profile(request_, out, device=device, force=True)
    assert device.found == [b"", b"a"]
    assert cache_path(out).read_bytes() == b"aa"


@pytest.mark.slow
def test_a_profile_sums_up_what_the_device_told_and_shows_it(request_, tmp_path, capsys):
    from gnomon.cli.printing.profile import print_profile

    profile = build_profile(request_, tmp_path / "p.jsonl", device=TellingDevice())
    assert profile.header.hardware["conditions"] == {"sm_clock_mhz": [1380, 1560]}
    print_profile(profile)
    assert "clocks   sm clock mhz 1380 to 1560" in capsys.readouterr().out
