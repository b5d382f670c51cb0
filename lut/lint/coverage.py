"""Find layers of a space without a row, and rows whose layer is not in the space."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping

import numpy as np

from ...supernets import SearchSpace
from .finding import Finding, examples

DRAWS = 4096  # architectures that estimate a share: within 1.6 percentage points, 95 % of the time


def missing_layers(
    space: SearchSpace, present: Collection[str], *, failures: Mapping[str, str] | None = None
) -> Iterator[Finding]:
    """Find the layers without a latency, and the share of sub-networks that have no latency because of them."""
    missing = tuple(spec.key for spec in space.unique_layers() if spec.key not in present)
    if not missing:
        return
    rows = space.sample(DRAWS, np.random.default_rng(0))
    absent = set(missing)
    unpriced = space.slot_sum(lambda spec: math.nan if spec.key in absent else 0.0)(rows)
    share = 100 * float(np.mean(np.isnan(unpriced)))
    consequence = f"{share:.0f} % of the sub-networks cannot be priced"
    failed = {key: reason for key, reason in (failures or {}).items() if key in absent}
    for key, reason in list(failed.items())[:1]:
        text = f"{len(failed)} layers could not be timed, first {key} ({reason}); {consequence}; profile again"
        yield Finding("error", "failures", text, tuple(failed))
    rest = tuple(key for key in missing if key not in failed)
    if rest:
        text = (
            f"{len(rest)} of {len(space.unique_layers())} layers of {space.name} have no time ({examples(rest, 1)}); "
            f"{consequence}"
        )
        yield Finding("error", "missing_layers", text, rest)


def strange_layers(space: SearchSpace, present: Collection[str]) -> Iterator[Finding]:
    """Find rows of layers that no sub-network of the space runs."""
    known = {spec.key for spec in space.unique_layers()}
    strange = tuple(key for key in present if key not in known)
    if strange:
        text = f"{len(strange)} of {len(present)} rows are of no layer of {space.name}: {examples(strange, 2)}"
        yield Finding("warning", "strange_layers", text, strange)
