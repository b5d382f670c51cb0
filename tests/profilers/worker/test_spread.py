"""The spread from build to build, with scripted times."""

import pytest

from gnomon.profilers import RunConfig
from gnomon.profilers.testing import FakeBackend
from gnomon.profilers.worker.spread import VISITS, build_spread


def backend_of(*values_us):
    """Return a backend whose builds take these times, one after the other."""
    values = iter(values_us)
    return FakeBackend(lambda model: (next(values),))


def test_the_spread_is_that_of_the_builds_and_not_of_their_visits():
    backend = backend_of(100.0, 110.0, 104.0)
    spread = build_spread(backend, b"model", RunConfig(), builds=3)
    assert spread.values_us == pytest.approx((100.0, 110.0, 104.0), rel=1e-4)
    assert spread.relative == pytest.approx(10 / 104, rel=1e-3)
    assert spread.relative_noise == 0
    assert all(build.visits == VISITS for build in spread.builds)
    assert len(backend.loaded) == 3
    assert backend.most_alive == 3


def test_one_build_has_no_spread():
    with pytest.raises(ValueError, match="at least 2"):
        build_spread(backend_of(1.0), b"model", RunConfig(), builds=1)
