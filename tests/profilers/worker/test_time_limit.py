from dataclasses import replace
from pathlib import Path

from gnomon.profilers import read_results
from gnomon.profilers.worker.time_limit import VisitLimits

SAMPLE = Path(__file__).parents[1] / "samples" / "results-v1.jsonl"


def test_a_visit_may_take_many_times_what_its_own_earlier_ones_took():
    visits = read_results(SAMPLE).visits
    slow = replace(visits[0], key="slow", load_ms=60_000.0, block_us=(1e6,), loops=1)
    assert VisitLimits([*visits, slow], cap_s=600.0).limit_s("slow") == 20 * 61
    assert VisitLimits([*visits, slow], cap_s=600.0).limit_s(visits[0].key) == 30


def test_a_first_visit_may_take_as_long_as_the_run_or_longer_than_any():
    visits = read_results(SAMPLE).visits
    slow = replace(visits[0], key="slow", load_ms=60_000.0, block_us=(1e6,), loops=1)
    assert VisitLimits(visits, cap_s=600.0).limit_s("new") == 600
    assert VisitLimits(visits, cap_s=1.0).limit_s("new") == 60
    assert VisitLimits([*visits, slow], cap_s=1.0).limit_s("new") == 20 * 61
