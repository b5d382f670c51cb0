"""Corpus BLEU as sacrebleu defines it (arXiv 1804.08771), with the signature that makes figures comparable."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from ..errors import SupernetError
from ..packages import install_command


@lru_cache(maxsize=1)
def scorer() -> Any:
    """Return sacrebleu's BLEU with its defaults; raises SupernetError when the package is absent."""
    try:
        from sacrebleu.metrics.bleu import BLEU
    except ImportError as error:
        raise SupernetError(f"BLEU needs sacrebleu; run: {install_command('sacrebleu')}") from error
    return BLEU()


def corpus_bleu(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    """Return the BLEU of translations against one reference each, 0 to 100."""
    return float(scorer().corpus_score(list(hypotheses), [list(references)]).score)


def signature() -> str:
    """Return sacrebleu's signature: number of references, case, tokeniser, smoothing, version."""
    bleu = scorer()
    bleu.corpus_score(["a"], [["a"]])  # the number of references is known from then on
    return str(bleu.get_signature())
