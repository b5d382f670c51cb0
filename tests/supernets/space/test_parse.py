"""How many random architectures may be asked for in words."""

import pytest

from gnomon.supernets import load_space
from gnomon.supernets.errors import InvalidArchitecture
from gnomon.supernets.space.parse import MOST_RANDOM, architectures_from_text

SPACE = load_space("fashion_mnist")


@pytest.mark.parametrize("count", ["²", "٣", "0", "00", "-1", "1.5", "x", "100000000000", "9" * 30, "9" * 5000])
def test_a_count_that_cannot_be_listed_is_refused_with_what_is_expected(count):
    with pytest.raises(InvalidArchitecture, match=f"expected random:N with N from 1 to {MOST_RANDOM}") as raised:
        architectures_from_text(SPACE, f"random:{count}")
    assert len(str(raised.value)) < 120


@pytest.mark.parametrize(("text", "n"), [("random", 1), ("random:", 1), ("random:1", 1), ("random:07", 7)])
def test_a_count_that_can_be_listed_is_drawn(text, n):
    assert len(architectures_from_text(SPACE, text)) == n
