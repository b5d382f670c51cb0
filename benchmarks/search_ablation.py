"""What does each ingredient of the tactic `gnomon` contribute? One is taken away at a time.

    python benchmarks/search_ablation.py --landscape ofa --data ofa_mbv3_top1.csv --results ablation.jsonl [--table]

An ablation is an entrant: `settings` are fields of SearchConfig, `constants` are values of "module:NAME" while it runs.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from dataclasses import replace

from search_harness.command import compare
from search_harness.entrants import ENTRANTS
from search_harness.landscape import EXACT

WHOLE = replace(ENTRANTS["gnomon"], variants=(EXACT,))
TACTIC, GP = "gnomon.search.tactics.gnomon", "gnomon.search.surrogates.gp"
ABLATIONS = {
    "whole": WHOLE,
    "without glimpses": replace(WHOLE, settings={**WHOLE.settings, "glimpse_share": 1.0}),
    "without optimism": replace(WHOLE, constants={f"{TACTIC}:OPTIMISM": 0.0}),
    "half the first networks": replace(WHOLE, constants={f"{TACTIC}:FIRST": 5}),
    "twice the first networks": replace(WHOLE, constants={f"{TACTIC}:FIRST": 20}),
    "two generations bred": replace(WHOLE, constants={f"{TACTIC}:GENERATIONS": 2}),
    "linear kernel only": replace(WHOLE, constants={f"{GP}:LINEAR_SHARES": (0.99,)}),
    "local kernel only": replace(WHOLE, constants={f"{GP}:LINEAR_SHARES": (0.0,)}),
    "1 at a time": replace(WHOLE, population=1),
    "8 at a time": replace(WHOLE, population=8),
}


if __name__ == "__main__":
    compare(__doc__ or "", ABLATIONS)
