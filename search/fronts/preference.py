"""Which member of a front a preference chooses; pure arithmetic on costs, which are values with every sign flipped to
"less is better". Nothing here knows names or units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...supernets.plugins import closest_hint
from ..errors import InvalidPick
from ..problem.objective import Values

AUGMENTATION = 1e-6  # only ever decides between members whose worst weighted losses are equal


def scaled(costs: Values) -> Values:
    """Scale the costs of a front, (n, m), so that each objective reaches from 0, its best, to 1."""
    span = np.ptp(costs, axis=0)
    return np.asarray((costs - costs.min(axis=0)) / np.where(span > 0, span, 1.0), dtype=np.float64)


def knee_of(costs: Values) -> int:
    """Return the position of the best compromise among (n, m) costs.

    With objectives scaled to the front's extent, it is the member farthest from the line between the ends of a front
    of two objectives (towards the better side), else the one closest to the ideal point.
    """
    losses = scaled(costs)
    return int(np.argmin(losses.sum(axis=1) if costs.shape[1] == 2 else np.linalg.norm(losses, axis=1)))


def best_of(costs: Values, column: int) -> int:
    """Return the position of the least cost in one column of (n, m); ties fall to the other columns, in order."""
    order = [column, *(i for i in range(costs.shape[1]) if i != column)]
    return int(np.lexsort(costs[:, order[::-1]].T)[0])


def achievement_of(costs: Values, weights: Sequence[float]) -> int:
    """Return the position of the member of (n, m) costs that `weights` (m) prefer.

    It minimises the augmented achievement scalarising function with the ideal point as its reference (A. Wierzbicki
    1980, "The use of reference objectives in multiobjective optimization"; K. Miettinen 1999, "Nonlinear
    Multiobjective Optimization", 3.4 and 3.5): the largest weighted loss, plus a millionth of the sum of losses, each
    loss scaled to the front's extent. Unlike a weighted sum it can reach every member of a front, its hollows too:
    twice the weight on an objective asks for about half the loss in it.
    """
    losses, shares = scaled(costs), np.asarray(weights, dtype=np.float64) / sum(weights)
    return int(np.argmin((losses * shares).max(axis=1) + AUGMENTATION * losses.sum(axis=1)))


def weights_from_text(text: str) -> dict[str, float]:
    """Read weights such as accuracy=2,latency=1 by name; raises InvalidPick."""
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, separator, number = (piece.strip() for piece in part.partition("="))
        if not separator:
            raise InvalidPick(
                f"cannot read the weight {part.strip()!r}; write an objective, = and a number, with commas between, as "
                "weights accuracy=2,latency=1"
            )
        if name in weights:
            raise InvalidPick(f"the weight of {name} is given twice; give each objective one weight")
        try:
            weights[name] = float(number)
        except ValueError:
            raise InvalidPick(f"the weight of {name} is {number!r}; expected a number of at least 0") from None
    return weights


def ordered_weights(weights: Mapping[str, float], names: Sequence[str]) -> tuple[float, ...]:
    """Return one weight for each of `names`, 0 for those not given; raises InvalidPick."""
    for name, weight in weights.items():
        objective_position(name, names)
        if not 0 <= weight < float("inf"):
            raise InvalidPick(
                f"the weight of {name} is {weight}; expected a number of at least 0, larger for an objective that "
                "matters more (which way is better is known)"
            )
    if not any(weights.values()):
        raise InvalidPick("all weights are 0, which prefers nothing; give at least one objective more")
    return tuple(float(weights.get(name, 0.0)) for name in names)


def objective_position(name: str, names: Sequence[str]) -> int:
    """Return where `name` is among the objectives; raises InvalidPick."""
    if name not in names:
        raise InvalidPick(
            f"the run has no objective {name!r}; its objectives are {', '.join(names)}{closest_hint(name, names)}"
        )
    return list(names).index(name)
