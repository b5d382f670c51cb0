"""Markdown tables of results: what was reached for a cost, and what was paid for a target, medians over seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from search_harness.results import Outcome

AFTER = (3, 5, 8, 10, 15, 20, 25, 50, 100, 150, 200, 250, 500)
SHARES = (0.90, 0.95, 0.98, 0.99)
LEADERS = {"LINAS of the paper, ridge": "paper's LINAS", "LINAS, ridge": "LINAS"}
LEADERS_AFTER = (50, 100, 200, 250, 500)
Runs = dict[tuple[str, str], list[Outcome]]


def reached_table(runs: Runs, best: float) -> str:
    """Say which share of the best known hypervolume each method has after so many full validations."""
    budget = max((one.budget for found in runs.values() for one in found), default=0)
    columns = [cost for cost in AFTER if cost <= budget]
    header = ["method", "knows", "seeds", *(f"after {cost}" for cost in columns), "own seconds"]
    rows = []
    for (method, variant), found in runs.items():
        cells = [quartiles([one.volume_at(cost) / best for one in found], "{:.3f}") for cost in columns]
        length = min(one.budget for one in found)
        seconds = quartiles([one.seconds[-1] for one in found if one.budget == length], "{:.3g}")
        rows.append([method, variant, str(len(found)), *cells, f"{seconds} for {length}"])
    return markdown(header, rows)


def targets_table(runs: Runs, best: float) -> str:
    """Say how many full validations each method needs for shares of the best known, and for what LINAS reaches."""
    targets = {f"{share:.2f}": share * best for share in SHARES}
    for method, variant, cost, level in levels(runs):
        targets[f"{LEADERS[method]} at {cost}, {variant} ({level / best:.3f})"] = level
    rows = []
    for (method, variant), found in runs.items():
        cells = []
        for volume in targets.values():
            costs = [one.cost_of(volume) for one in found]
            cells.append(quartiles(costs, "{:.4g}", beyond=f"> {min(one.budget for one in found)}"))
        rows.append([method, variant, *cells])
    return markdown(["validations to reach", "knows", *targets], rows)


def levels(runs: Runs) -> list[tuple[str, str, int, float]]:
    """Return method, variant, cost and median hypervolume of what others are compared with."""
    found = []
    for (method, variant), seeds in runs.items():
        for cost in LEADERS_AFTER if method in LEADERS else ():
            volumes = [one.volume_at(cost) for one in seeds]
            if not np.isnan(volumes).any():
                found.append((method, variant, cost, float(np.median(volumes))))
    return found


def seeds_table(runs: Runs) -> str:
    """Say which hypervolume each run has after so many full validations, and what processor time its validations took.

    The first targets are those of `levels`: processor seconds until each, and how many times more the leader took.
    """
    budget = max((one.budget for found in runs.values() for one in found), default=0)
    columns = [cost for cost in AFTER if cost <= budget]
    compared = levels(runs)
    header = ["method", "knows", "seed", *(f"after {cost}" for cost in columns), "processor s in all"]
    header += [
        f"until {LEADERS[method]} at {cost}, {variant}: {level:.6g}" for method, variant, cost, level in compared
    ]
    rows = []
    for (method, variant), found in runs.items():
        for one in found:
            volumes = [one.volume_at(cost) for cost in columns]
            cells = ["-" if np.isnan(volume) else f"{volume:.6g}" for volume in volumes]
            row = [method, variant, str(one.seed), *cells, f"{one.validation_seconds[-1]:.4g}"]
            for leader, its_variant, cost, level in compared:
                took_s = float(np.median([other.seconds_at(cost) for other in runs[leader, its_variant]]))
                seconds = one.seconds_of(level)
                row.append(f"{seconds:.4g} s, {took_s / seconds:.1f} times less" if np.isfinite(seconds) else "not")
            rows.append(row)
    return markdown(header, rows)


def quartiles(values: Sequence[float], form: str, *, beyond: str = "") -> str:
    """Write median and quartiles; `beyond` for an infinite one, a dash where a value is missing."""
    if np.isnan(values).any():
        return "-"
    low, middle, high = (
        form.format(value) if np.isfinite(value) else beyond
        for value in (quantile(values, q) for q in (0.25, 0.5, 0.75))
    )
    return beyond if middle == beyond else f"{middle} ({low} to {high})"


def quantile(values: Sequence[float], q: float) -> float:
    """Return a quantile, linear between neighbours; infinite where it takes a part of an infinite one."""
    ordered, position = sorted(values), q * (len(values) - 1)
    below, part = int(position), position % 1
    return ordered[below] if part == 0 else ordered[below] * (1 - part) + ordered[below + 1] * part


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay a table out."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
