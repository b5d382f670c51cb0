"""Read the evaluations of a run, refusing what the run cannot have written.

Rounds follow each other, and each is whole before the next begins unless that was asked for early (`asks.py`); within
a round evaluations may be written in any order, as a farm of trainers finishes them. What cannot be seen from the lines
alone, that the tactic would ask for the same again, is checked where a run goes on (`rounds.py`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from ....profilers.journal import Record
from ....supernets import SearchSpace, SupernetError, load_space
from ....supernets.space.space import Architecture
from ...errors import RunDamaged
from .asks import Asks, RoundOrder, read_asks
from .pilots import Pilots
from .records import (
    ASKS_FILE,
    EVALUATIONS_FILE,
    FIRST_WITH_DEPLOYMENT,
    Evaluation,
    RunHeader,
    first_line,
    journal_lines,
    with_deployment,
)
from .spending import Spending
from .start import Start
from .stopping import TOLERANCE

VERSION_1_FIELDS = {"round", "order", "id", "indices", "values", "seconds"}


def read_evaluations(folder: Path, header: RunHeader, start: Start | None) -> tuple[Evaluation, ...]:
    """Read `evaluations.jsonl`, dropping a torn last line; raises RunDamaged with the line that is wrong.

    `start` is what the run was started from.
    """
    path = folder / EVALUATIONS_FILE
    asks = read_asks(folder)
    replay = Replay(header, asks, start)
    for number, line in enumerate(journal_lines(path), 1):
        try:
            content = from_version_1(line, replay.evaluations, header) if header.version == 1 else line
            content = with_deployment(content) if header.version < FIRST_WITH_DEPLOYMENT else content
            evaluation = Evaluation.model_validate(content)
        except ValidationError as error:
            raise RunDamaged(f"{path}, line {number}: {first_line(error)}", path=path, line_number=number) from error
        if wrong := replay.fault_of(evaluation):
            raise RunDamaged(f"{path}, line {number}: {wrong}", path=path, line_number=number)
        replay.add(evaluation)
    if asks and (known := max(asks.values())) > len(replay.evaluations):
        raise RunDamaged(
            f"{folder / ASKS_FILE}: a round was asked for after {known} evaluations, and {path} has "
            f"{len(replay.evaluations)}; restore it, or start anew with `force=True`",
            path=path,
            line_number=len(replay.evaluations),
        )
    if (space := installed_space(header)) is not None and (found := outside(space, replay.evaluations)):
        number, wrong = found
        raise RunDamaged(f"{path}, line {number}: indices: {wrong}", path=path, line_number=number)
    return tuple(replay.evaluations)


def installed_space(header: RunHeader) -> SearchSpace | None:
    """Return the space of a run; None where it is not installed here, or has changed since."""
    try:
        space = load_space(header.config.space)
    except SupernetError:
        return None
    return space if space.digest == header.space_digest else None


def outside(space: SearchSpace, evaluations: Sequence[Evaluation]) -> tuple[int, str] | None:
    """Return the number, from 1, of the first evaluation of what is not in the space, and why; None if all are."""
    try:
        space.check([evaluation.indices for evaluation in evaluations] or space.radices[None] - 1)
    except SupernetError:
        for number, evaluation in enumerate(evaluations, 1):
            try:
                space.check([evaluation.indices])
            except SupernetError as error:
                return number, str(error)
    return None


def from_version_1(line: Record, before: Sequence[Evaluation], header: RunHeader) -> Record:
    """Add to a line of version 1 what that version left to arithmetic; other fields than its own stay and are found."""
    population = header.config.population or 1
    if set(line) != VERSION_1_FIELDS:
        return line
    number, position = divmod(len(before), population)
    seconds = line["seconds"] if isinstance(line["seconds"], (int, float)) else 0.0
    return line | {
        "position": position if line["round"] == number else population,
        "size": min(population, max(1, header.config.budget - number * population)),
        "share": 1.0,
        "expected": None,
        "elapsed_s": (before[-1].elapsed_s if before else 0.0) + seconds,
        "failed": None,
    }


class Replay:
    """The evaluations of a run as far as they were read, and what they tell of the next: in constant time for each."""

    def __init__(self, header: RunHeader, asks: Asks, start: Start | None) -> None:
        self.header = header
        self.evaluations: list[Evaluation] = []
        self._spending = Spending()
        self._pilots = Pilots(header.partial_examples, start)
        self._rounds = RoundOrder(asks)

    def add(self, evaluation: Evaluation) -> None:
        """Add an evaluation that has no fault."""
        self.evaluations.append(evaluation)
        self._spending.add(evaluation.share)
        self._pilots.add(evaluation)

    def fault_of(self, evaluation: Evaluation) -> str:
        """Say what tells that the run did not write `evaluation` after those so far, or nothing."""
        header, order = self.header, len(self.evaluations)
        names = set() if evaluation.failed is not None else set(header.quantity_names)
        if evaluation.order != order or set(evaluation.values) != names:
            return (
                f"expected evaluation {order} of {', '.join(sorted(names)) or 'no objective, as it failed'}, "
                f"found {evaluation.order} of {', '.join(sorted(evaluation.values)) or 'none'}"
            )
        if not all(math.isfinite(value) for value in evaluation.values.values()):
            return f"the values {evaluation.values} are no finite numbers"
        deployments = len(header.provenance.deployments)
        if evaluation.deployment is not None and evaluation.deployment >= deployments:
            return f"deployment {evaluation.deployment} is none of the run's {deployments}, which are numbered from 0"
        if evaluation.expected and not set(evaluation.expected) <= set(header.names):
            return f"expected values of {', '.join(sorted(evaluation.expected))}, which the run does not measure"
        spent = self._spending.total + evaluation.share
        if spent - TOLERANCE > header.config.budget:
            return f"evaluation {order} is beyond the budget of {header.config.budget}: {spent:g} are spent with it"
        fault = self._fault_of_genes(evaluation) or self._rounds.fault_of(evaluation)
        return fault or self._pilots.fault_of(evaluation)

    def _fault_of_genes(self, evaluation: Evaluation) -> str:
        """Say why the run cannot have measured these genes, or nothing."""
        genes = len(self.evaluations[0].indices) if self.evaluations else len(evaluation.indices)
        if len(evaluation.indices) != genes:
            return f"indices: {len(evaluation.indices)} genes, evaluation 0 has {genes}"
        identity = Architecture(self.header.config.space, evaluation.indices).id
        if evaluation.id != identity:
            return f"the indices are of architecture {identity}, the id says {evaluation.id}"
        return ""
