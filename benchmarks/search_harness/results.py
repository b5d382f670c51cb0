"""Results of searches as JSON Lines: appended run by run, so that an interrupted benchmark goes on where it stopped.

Hypervolumes are stored as they are; shares of the best known are computed when they are shown.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Outcome:
    """One run. After each full validation: cost so far in full validations, hypervolume, the method's own seconds.

    `validation_seconds` are those of all validations so far, where a landscape's take any: processor time.
    """

    landscape: str
    setting: str
    method: str
    variant: str
    seed: int
    budget: int
    partial_evaluations: int
    costs: tuple[float, ...]
    volumes: tuple[float, ...]
    seconds: tuple[float, ...]
    validation_seconds: tuple[float, ...] = ()

    def volume_at(self, cost: float) -> float:
        """Return the hypervolume once that much was spent; NaN where the budget was smaller."""
        if cost > self.budget:
            return float("nan")
        n = int(np.searchsorted(self.costs, cost + 1e-6, side="right"))
        return self.volumes[n - 1] if n else 0.0

    def cost_of(self, volume: float) -> float:
        """Return what was spent when the hypervolume was reached, for good; infinite where it was not."""
        at = self._reached(volume)
        return self.costs[at] if at < len(self.costs) else float("inf")

    def seconds_of(self, volume: float) -> float:
        """Return the processor seconds of validations until the hypervolume was reached; infinite where it was not."""
        at = self._reached(volume)
        return self.validation_seconds[at] if at < len(self.costs) else float("inf")

    def seconds_at(self, cost: float) -> float:
        """Return the processor seconds of validations once that much was spent, at the last entry within it."""
        n = int(np.searchsorted(self.costs, cost + 1e-6, side="right"))
        return self.validation_seconds[n - 1] if n else 0.0

    def _reached(self, volume: float) -> int:
        """Return from which entry on the hypervolume is at least `volume`; a front of estimates can lose some."""
        below = np.flatnonzero(np.array(self.volumes) < volume)
        return int(below[-1]) + 1 if len(below) else 0


@dataclass(frozen=True)
class Best:
    """The best known hypervolume of a landscape where it is fixed."""

    landscape: str
    setting: str
    best_known: float


@dataclass(frozen=True)
class Results:
    """The file at `path`; None keeps nothing."""

    path: Path | None
    outcomes: list[Outcome]
    bests: list[Best]

    @staticmethod
    def load(path: Path | None) -> Results:
        """Read a file, made when missing; a torn last line is dropped from it. Raises SystemExit for other damage."""
        results = Results(path, [], [])
        if path is None or not path.exists():
            return results
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            os.truncate(path, len(whole))
        for number, line in enumerate(whole.decode().splitlines(), start=1):
            try:
                record = json.loads(line)
                if "best_known" in record:
                    results.bests.append(Best(**record))
                else:
                    lists = {name: tuple(value) for name, value in record.items() if isinstance(value, list)}
                    results.outcomes.append(Outcome(**{**record, **lists}))
            except (ValueError, TypeError, KeyError) as error:
                raise SystemExit(
                    f"{path}, line {number}: not a result of this benchmark ({error}); move it away"
                ) from error
        return results

    def add(self, record: Outcome | Best) -> None:
        """Keep a result, on disk before the call returns."""
        if isinstance(record, Best):
            self.bests.append(record)
        else:
            self.outcomes.append(record)
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(record)) + "\n")
                file.flush()
                os.fsync(file.fileno())

    def has(self, landscape: str, setting: str, method: str, variant: str, seed: int, budget: int) -> bool:
        """Tell whether such a run with at least that budget is there."""
        wanted = (landscape, setting, method, variant, seed)
        return any(
            (one.landscape, one.setting, one.method, one.variant, one.seed) == wanted and one.budget >= budget
            for one in self.outcomes
        )

    def runs(self, landscape: str, setting: str) -> dict[tuple[str, str], list[Outcome]]:
        """Return the runs on a landscape by (method, variant), in order of appearance; a seed's longest run only."""
        longest: dict[tuple[str, str], dict[int, Outcome]] = {}
        for one in self.outcomes:
            if (one.landscape, one.setting) == (landscape, setting):
                seeds = longest.setdefault((one.method, one.variant), {})
                if one.seed not in seeds or seeds[one.seed].budget < one.budget:
                    seeds[one.seed] = one
        return {key: [seeds[seed] for seed in sorted(seeds)] for key, seeds in longest.items()}
