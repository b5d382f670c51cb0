"""What does each ingredient of the tactic `gnomon` contribute? One is taken away at a time.

    python benchmarks/search_ablation.py --landscape ofa --data ofa_mbv3_top1.csv --results ablation.jsonl [--table]

An ablation is an entrant: `settings` are fields of SearchConfig, `constants` are values of "module:NAME" while it runs.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from dataclasses import replace

import numpy as np
from search_harness.command import compare
from search_harness.entrants import ENTRANTS
from search_harness.landscape import EXACT

from gnomon.search.archive import Archive
from gnomon.supernets.space.space import Indices

WHOLE = replace(ENTRANTS["gnomon"], variants=(EXACT,))
SEARCH = "gnomon.search"
TACTIC = f"{SEARCH}.tactics.gnomon"


def drawn(archive: Archive, n: int, share: float, rng: np.random.Generator) -> Indices:
    """Return unseen architectures at random: instead of those that tell most."""
    rows = archive.unseen(archive.space.sample(2 * n + 20, rng))
    return rows[archive.not_partially_evaluated(rows)][:n]


ABLATIONS = {
    "whole": WHOLE,
    "without partial evaluations": replace(WHOLE, settings={**WHOLE.settings, "partial_share": 1.0}),
    "first partial evaluations at random": replace(
        WHOLE, constants={f"{SEARCH}.acquisition.opening:informative": drawn}
    ),
    "full validations alone count": replace(WHOLE, constants={f"{SEARCH}.fronts.counting:MOST": 0.0}),
    "partial evaluations at first only": replace(WHOLE, constants={f"{TACTIC}:PARTIAL_A_ROUND": 0.0}),
    "partial evaluations on a twentieth": replace(WHOLE, settings={**WHOLE.settings, "partial_share": 0.05}),
    "one size of effects for all genes": replace(WHOLE, constants={f"{SEARCH}.prediction.kernel:MOST_FAMILIES": 0}),
    "additive effects only": replace(WHOLE, constants={f"{SEARCH}.prediction.gaussian_process:LOCALS": (0.01,)}),
    "targets as they are": replace(WHOLE, constants={f"{SEARCH}.prediction.gaussian_process:POWERS": (1.0,)}),
    "explore by a whole deviation": replace(WHOLE, constants={f"{SEARCH}.acquisition.batch_choice:EXPLORATION": 1.0}),
    "five generations bred": replace(WHOLE, constants={f"{SEARCH}.acquisition.candidates:GENERATIONS": 5}),
    "1 at a time": replace(WHOLE, population=1),
    "8 at a time": replace(WHOLE, population=8),
}


if __name__ == "__main__":
    compare(__doc__ or "", ABLATIONS)
