"""Contract that every search space keeps; subclass it with a `space` fixture to test one of your own.

class TestMySpace(SpaceContract):
    @pytest.fixture
    def space(self): return build()

`gnomon space check` runs the same checks, and more, without pytest.
"""

from __future__ import annotations

import numpy as np
import pytest

from .check import CHECKS, Check, rows_of
from .space import SearchSpace


class SpaceContract:
    """Behaviour that the rest of Gnomon relies on."""

    @pytest.fixture
    def space(self) -> SearchSpace:
        """The space under test."""
        raise NotImplementedError

    @pytest.fixture
    def rows(self, space: SearchSpace) -> np.ndarray:
        """Uncanonical architectures, (n, d): the smallest, the largest, and random ones."""
        return rows_of(space)

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
    def test_contract(self, space: SearchSpace, rows: np.ndarray, check: Check) -> None:
        """A failure says what was found, what was expected, and what to do."""
        check.run(space, rows)
