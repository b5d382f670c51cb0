"""Points as characters: what was measured and the front of it, small enough to stand in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...search.problem.objective import Values

DOT, MEMBER = "·*"
WIDTH, HEIGHT = 48, 9  # characters


def scatter_lines(
    everything: Values, front: Sequence[Sequence[float]], heads: Sequence[str], *, width: int = WIDTH
) -> list[str]:
    """Draw (n, m) values and the (k, m) of the front among them: first objective upward, second to the right.

    `heads` name the objectives; the drawing is at most `width` characters wide, but no narrower than three.
    """
    import numpy as np

    columns = max(3, width - 2)
    low, high = everything[:, :2].min(axis=0), everything[:, :2].max(axis=0)
    size = np.where(high > low, high - low, 1.0)
    cells = [[" "] * columns for _ in range(HEIGHT)]
    for values, mark in ((everything, DOT), (np.array(front), MEMBER)):
        for up, right in (values[:, :2] - low) / size:
            cells[HEIGHT - 1 - round(up * (HEIGHT - 1))][round(right * (columns - 1))] = mark
    said = [f"{head} {bottom:.5g} to {top:.5g}" for head, bottom, top in zip(heads, low, high)]
    return [said[0], *("│" + "".join(row).rstrip() for row in cells), f"└{'─' * columns}", f" {said[1]}"]
