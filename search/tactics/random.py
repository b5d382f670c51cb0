"""Uniform draws: the baseline that every tactic has to beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..archive import Archive
from ..config import SearchConfig
from ..tactic import Batch

SETTINGS: tuple[str, ...] = ()  # of SearchConfig, that other tactics need not have


@dataclass(frozen=True)
class RandomSampling:
    """Every gene uniform, unseen architectures only."""

    def ask(self, archive: Archive, n: int, rng: np.random.Generator, round: int) -> Batch:
        """Return `n` random unseen architectures, (n, d)."""
        return Batch.of(archive.topped_up(archive.indices[:0], n, rng), len(archive.objectives))


def build(config: SearchConfig) -> RandomSampling:
    """Build the tactic; it has no settings."""
    return RandomSampling()
