"""Lint a plain table of latencies, as importers hold it before there is a profile."""

from __future__ import annotations

from collections.abc import Mapping

from ...supernets import SearchSpace
from .coverage import missing_layers, strange_layers
from .finding import Finding, Rows
from .order import not_monotone
from .origin import foreign_rows
from .units import mixed_units, peak_macs_per_s, wrong_unit
from .values import not_positive, quantised, unreadable_keys


def lint_table(
    value_us: Mapping[str, float],
    *,
    space: SearchSpace | None = None,
    spread_us: Mapping[str, float] | None = None,
    device: str = "",
    precision: str = "fp32",
    threads: int = 1,
) -> tuple[Finding, ...]:
    """Return what is wrong with latencies by layer key, in microseconds; errors first.

    `spread_us` says how far repeats of a layer lie apart. `device` ("cpu...": a processor), `precision` and `threads`
    bound how fast it can be; without a device only the fastest accelerators' rate does. A row that one check finds
    is kept from those after it, and a table in a wrong unit or rounded coarsely from the finer ones.
    """
    everything = Rows(value_us, spread_us or {}, peak_macs_per_s(device, precision, threads))
    found = [*not_positive(everything), *unreadable_keys(everything)]
    rows = everything.without(found)
    coarse = [*wrong_unit(rows), *quantised(rows)]
    odd = list(mixed_units(rows))
    rows = rows.without(odd)
    if not coarse:
        odd += foreign_rows(rows)
        coarse += not_monotone(rows.without(odd))
    found += [*coarse, *odd]
    if space is not None:
        found += [*missing_layers(space, tuple(value_us)), *strange_layers(space, tuple(value_us))]
    return tuple(sorted(found, key=lambda finding: finding.severity))
