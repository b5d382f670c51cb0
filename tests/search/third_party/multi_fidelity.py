"""A tactic of another package: half of a round's cost on first looks at random architectures, half on the best seen."""

from dataclasses import dataclass

import numpy as np

from gnomon.search import Batch

POPULATION = 3


@dataclass(frozen=True)
class MultiFidelity:
    share: float

    def ask(self, archive, n, rng, round):
        looks = int(n / 2 / self.share + 1e-9) if archive.divisible and self.share < 1 else 0
        whole = n - int(np.ceil(looks * self.share - 1e-9))
        order = np.argsort(-archive.partial.values[:, 0], kind="stable")
        best = archive.topped_up(archive.partial.indices[order], whole, rng)
        rows = archive.topped_up(np.concatenate([best, archive.space.sample(looks, rng)]), whole + looks, rng)
        shares = np.array([1.0] * whole + [self.share] * looks)
        mean = np.full((len(rows), len(archive.objectives)), np.nan)
        mean[:whole, 0] = 80.0 + np.arange(whole)
        return Batch.of(
            rows, len(archive.objectives), shares=shares, mean=mean, deviation=np.where(mean > 80, 9.0, np.nan)
        )


@dataclass(frozen=True)
class Wasteful:
    """Asks for half a validation more than a round may cost."""

    def ask(self, archive, n, rng, round):
        rows = archive.topped_up(archive.indices[:0], n + 1, rng)
        return Batch.of(rows, len(archive.objectives), shares=np.array([1.0] * n + [0.5]))


@dataclass(frozen=True)
class Alternating:
    """Asks for halves and wholes in turn, halves first."""

    def ask(self, archive, n, rng, round):
        rows = archive.topped_up(archive.indices[:0], 4, rng)
        return Batch.of(rows, len(archive.objectives), shares=np.array([0.5, 1.0, 0.5, 1.0]))


def build(config):
    return MultiFidelity(config.partial_share)


def build_wasteful(config):
    return Wasteful()


def build_alternating(config):
    return Alternating()
