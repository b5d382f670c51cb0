"""How likely a measurement is to keep the constraints.

What is predicted to break a bound by a hair keeps it about half of the time, and at the least value that can be had
everything worth measuring is predicted so: constraints on costly objectives are a probability, not a verdict (Schonlau
et al. 1998, Gardner et al. 2014). Cheap quantities are exact, and so are constraints on them.
"""

from __future__ import annotations

import numpy as np

from ...supernets.space.space import Indices
from ..archive import Archive
from ..problem.constraint import Constraint
from ..problem.objective import Values


def uncertain(archive: Archive) -> tuple[Constraint, ...]:
    """Return the constraints on costly objectives."""
    costly = {objective.name for objective in archive.objectives if objective.costly}
    return tuple(constraint for constraint in archive.problem.constraints if constraint.objective in costly)


def log_probability(archive: Archive, rows: Indices, mean: Values, deviation: Values) -> Values:
    """Return the log probability that measurements of (n, d) rows, N(mean, deviation), keep all constraints, (n,).

    `mean` and `deviation` are (n, m); objectives are taken as independent. -inf where a cheap quantity breaks a bound.
    """
    from scipy.special import log_ndtr

    total = np.zeros(len(rows))
    for constraint in archive.problem.constraints:
        values, spread = judged_by(archive, constraint, rows, mean, deviation)
        room = constraint.bound - values if constraint.operator.startswith("<") else values - constraint.bound
        exact = np.where(constraint.holds(values), 0.0, -np.inf)
        total += np.where(spread > 0, log_ndtr(room / np.where(spread > 0, spread, 1.0)), exact)
    return total


def hoped_violation(archive: Archive, rows: Indices, mean: Values, deviation: Values) -> Values:
    """Return by how much (n, d) rows break the constraints should each turn out better by one deviation, (n,)."""
    total = np.zeros(len(rows))
    for constraint in archive.problem.constraints:
        values, spread = judged_by(archive, constraint, rows, mean, deviation)
        total += constraint.excess(values - spread if constraint.operator.startswith("<") else values + spread)
    return total


def judged_by(
    archive: Archive, constraint: Constraint, rows: Indices, mean: Values, deviation: Values
) -> tuple[Values, Values]:
    """Return what a constraint is on, with its deviation, (n,) each."""
    for column, objective in enumerate(archive.objectives):
        if objective.name == constraint.objective:
            return mean[:, column], deviation[:, column]
    watched = next(quantity for quantity in archive.problem.watched if quantity.name == constraint.objective)
    return watched.values(rows), np.zeros(len(rows))
