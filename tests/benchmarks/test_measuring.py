"""What a run's validations are made on, and the processor seconds that they are counted at."""

import numpy as np
import pytest
from search_harness.measuring import Measuring

from gnomon.supernets.evaluation.deciding import Outcomes

ROWS = np.arange(4)[:, None]


class Pictured:
    """A landscape with images, each of whose validations takes ten seconds times its share."""

    order_seconds = 3.0

    def outcomes(self, row):
        return Outcomes(np.array([True, bool(row[0])]), np.zeros(2, dtype=np.float16))

    def estimated(self, row, share, pilots):
        assert [pilot.right.tolist() for pilot in pilots] == [[True, False], [True, True]]
        return 70.0 + row[0], 10.0 * share

    def seconds(self, row, share):
        return 10.0 * share

    def price(self, rows):
        return np.full(len(rows), 5.0)


def test_the_order_is_paid_once_and_shares_follow_the_pilots(monkeypatch):
    monkeypatch.setattr("search_harness.measuring.measure", lambda objectives, row, share: (90.0, 5.0))
    measuring = Measuring(Pictured(), (), in_part=True)
    assert measuring.pilots == 2
    found = [measuring.values(row, share) for row, share in zip(ROWS, (1.0, 1.0, 0.1, 0.2))]
    assert found == [(90.0, 5.0), (90.0, 5.0), (72.0, 5.0), (73.0, 5.0)]
    assert measuring.seconds == pytest.approx(10 + 10 + 3 + 1 + 2)


def test_a_search_of_full_validations_pays_no_order(monkeypatch):
    monkeypatch.setattr("search_harness.measuring.measure", lambda objectives, row, share: (90.0, 5.0))
    measuring = Measuring(Pictured(), (), in_part=False)
    measuring.values(ROWS[0], 1.0)
    assert (measuring.pilots, measuring.seconds, measuring.told) == (1, 10.0, [])
