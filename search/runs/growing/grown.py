"""Arrays and sets that grow at their end, and what they held at an earlier time, without a copy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

FIRST_ROOM = 64


class Grown:
    """Rows of one shape in an array that doubles its room when it is full; what is in it never changes."""

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self._room = np.empty((FIRST_ROOM, *shape), dtype)
        self._used = 0

    def __len__(self) -> int:
        return self._used

    def add(self, row: Any) -> None:
        """Add a row at the end."""
        if self._used == len(self._room):
            larger = np.empty((2 * len(self._room), *self._room.shape[1:]), self._room.dtype)
            larger[: self._used] = self._room
            self._room = larger
        self._room[self._used] = row
        self._used += 1

    def with_rest(self, n: int, rest: NDArray[Any]) -> NDArray[Any]:
        """Return the first `n` rows, then the `rest`; not to be written to."""
        first = self._room[:n]
        if len(rest):
            return np.concatenate([first, rest])
        first.flags.writeable = False
        return first


class KeysSoFar(Set[bytes]):
    """The first `count` keys of a growing mapping of keys to their positions, and a few `others`."""

    def __init__(self, positions: Mapping[bytes, int], count: int, others: Set[bytes]) -> None:
        self._positions, self._count = positions, count
        self._others = frozenset(key for key in others if not self._is_first(key))

    def __contains__(self, key: object) -> bool:
        return key in self._others or self._is_first(key)

    def __iter__(self) -> Iterator[bytes]:
        yield from islice(self._positions, self._count)
        yield from self._others

    def __len__(self) -> int:
        return self._count + len(self._others)

    def _is_first(self, key: object) -> bool:
        return isinstance(key, bytes) and self._positions.get(key, self._count) < self._count
