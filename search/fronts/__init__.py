"""Pareto fronts: dominance, ranking, choosing from a front, showing it."""
