"""Optuna's samplers (version 5) over categorical genes, as a user would set them up; all their settings are defaults.

They may ask for a network again, or for one that differs only in genes without effect: it is answered from what was
validated, at no cost, up to 200 times a validation. After that the validation is paid for again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gnomon.search.archive import Archive, key_of
from gnomon.search.tactic import Batch
from search_harness.landscape import Landscape

REPEATS = 200


@dataclass(frozen=True)
class OptunaSampler:
    """One network a round; unlike a tactic it keeps a study between rounds. `waiting` is the trial being validated."""

    study: Any
    landscape: Landscape
    waiting: list[Any]

    def ask(self, archive: Archive, n: int, rng: np.random.Generator, round: int) -> Batch:
        """Tell the last validation, and return the next network, (1, d)."""
        for trial in self.waiting:
            self.study.tell(trial, archive.values[-1].tolist())
        self.waiting.clear()
        known = {key_of(row): values for row, values in zip(archive.indices, archive.values)}
        for _ in range(REPEATS):
            trial = self.study.ask()
            genes = [
                trial.suggest_categorical(choice.name, list(range(len(choice.options))))
                for choice in self.landscape.space.choices
            ]
            row = self.landscape.space.canonical(np.array([genes]))
            if key_of(row[0]) not in known:
                break
            self.study.tell(trial, known[key_of(row[0])].tolist())
        self.waiting.append(trial)
        return Batch.of(row, len(archive.objectives))


def build(landscape: Landscape, sampler: str, seed: int) -> OptunaSampler:
    """Build it with the sampler of that class name."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampled = getattr(optuna.samplers, sampler)(seed=seed)
    return OptunaSampler(optuna.create_study(directions=["maximize", "minimize"], sampler=sampled), landscape, [])
