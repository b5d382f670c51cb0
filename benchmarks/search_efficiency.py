"""How many validations does each method need, on which landscape?

    python benchmarks/search_efficiency.py --landscape ofa --data ofa_mbv3_top1.csv --results ofa.jsonl [--table]

Landscapes: ofa (fitted to Once-for-All's MobileNetV3; --data is the table of published validations), ofa-images and
ofa-images-fitted (the same, made of images under two assumptions: shares are of those that decide), macro
(NAS-Bench-Macro; --data is its table), fashion (our own super-network, truly evaluated; --data is a file that keeps the
evaluations and their processor seconds, made when missing; shares are of the images that decide), bert (the same of our
super-network of text, whose weights `gnomon train bert_minilm` makes), cells (like NAS-Bench-201's, its operations
without order; made up, no --data). The tactic gnomon fits its first validations to --budget: to see what it does with
10, run it with 10. Methods are judged by the hypervolume of the noise-free values of what they validated in full,
against their cost in full validations. With exact prices a method may compute latency or FLOPs of any network; with its
own measurements it knows them of validated networks only, and a look at a share of the images is not open to it,
because a latency has no share. Seconds are processor time of the method alone, on one core.
Results are appended to --results run by run: the same command goes on where it was interrupted.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from search_harness.command import compare
from search_harness.entrants import ENTRANTS

if __name__ == "__main__":
    compare(__doc__ or "", ENTRANTS)
