"""Start a run from another one on the same space, for instance from another device's.

Values are never copied blindly. Where checkpoint, data, split, precision and the bits of int8 weights of both runs
agree, what the other measured counts as evidence: its costly values as they are, cheap ones computed anew. Where they
do not, or an objective depends on the device, only the architectures of its front are taken, to be measured first.

Partial evaluations count too where they are on the same examples as those of the new run: of validation examples of the
same digest, at random in both runs, or those that decide by the other run's pilots, which become the new run's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ...supernets.evaluation.deciding import PILOTS
from ...supernets.space.space import SearchSpace
from ..config import SearchConfig
from ..deployments.provenance import Provenance
from ..errors import InvalidConfig
from ..fronts.ranking import best_first
from ..problem.context import ChoosesDeployments
from ..problem.objective import Objective
from .files.pilots import pilots_of
from .files.records import EVALUATIONS_FILE, FIRST_CONTINUED, RUN_FILE, Evaluation, PartialExamples
from .files.start import Start, StartHeader, StartRecord
from .run import Run


def start_from_run(
    run: Run,
    space: SearchSpace,
    config: SearchConfig,
    *,
    objectives: Sequence[Objective],
    provenance: Provenance,
    partial_examples: PartialExamples = "random",
    deployments: ChoosesDeployments | None = None,
) -> Start:
    """Take from `run` what holds for a new run; raises InvalidConfig for a run of another space, Infeasible.

    `objectives` are all that the new run measures, those that it only constrains included; `partial_examples` are those
    that it evaluates in part on; `deployments` choose how its networks are run, where there are several.
    """
    if run.header.space_digest != space.digest:
        raise InvalidConfig(
            f"cannot start from the run in {run.folder}: it searched {run.config.space!r} (digest "
            f"{run.header.space_digest}), and this is a search of {space.name!r} (digest {space.digest}); "
            "start from a run of the same space",
            field="start_from",
        )
    why_not = disagreements(run, config, objectives, provenance)
    name = run.folder.resolve().name
    if why_not:
        front = run.front()
        directions = [objective.direction for objective in front.objectives]
        order = best_first(np.array(front.values), directions)  # the ends first, should the budget not reach all
        rows = [front.architectures[i].indices for i in order]
        header = StartHeader(source=digest_of(run.folder), name=name, takes="architectures", why="; ".join(why_not))
        return Start(header, tuple(record_of(space, row, {}) for row in rows))
    why, partial = "checkpoint, data and split agree", evaluated_in_part(run)
    pilots = pilots_of(run.evaluations, run.header, run.start) or ()
    if why_not_partial := partial_disagreement(run, provenance, partial_examples):
        why += f"; its {len(partial)} partial evaluations do not, as {why_not_partial}" if partial else ""
        partial, pilots = (), ()
    pilots = pilots if len(pilots) == PILOTS else ()
    header = StartHeader(source=digest_of(run.folder), name=name, takes="values", why=why, pilots=pilots)
    whole = [measured for measured in run.measured if measured.share == 1.0]
    known: list[tuple[float, tuple[int, ...], Mapping[str, float]]] = [
        (1.0, one.architecture.indices, dict(zip(run.header.quantity_names, one.quantities))) for one in whole
    ]
    known += [(one.share, one.indices, one.values) for one in partial]
    indices = np.array([row for _, row, _ in known], dtype=np.int64).reshape(-1, len(space.choices))
    columns: dict[str, Sequence[float]] = {}
    for objective in objectives:
        if objective.costly:
            columns[objective.name] = [values[objective.name] for _, _, values in known]
        else:
            columns[objective.name] = [float(value) for value in objective.values(indices)]
    chosen = None if deployments is None else deployments.chosen(indices)
    records = []
    for i, (share, row, _) in enumerate(known):
        values = {name: column[i] for name, column in columns.items()}
        record = record_of(space, row, values, None if chosen is None else int(chosen[i]))
        records.append(record.model_copy(update={"share": share}))
    return Start(header, tuple(records))


def evaluated_in_part(run: Run) -> tuple[StartRecord | Evaluation, ...]:
    """Return what a run evaluated in part, what it had from another one first."""
    return (*(() if run.start is None else run.start.counted_in_part), *run.partial_evaluations)


def partial_disagreement(run: Run, provenance: Provenance, partial_examples: PartialExamples) -> str:
    """Say why the partial evaluations of `run` are no evidence in another run, or nothing."""
    if run.header.version < FIRST_CONTINUED:
        return f"format version {run.header.version} evaluated in part in another way"
    there, here = run.header.provenance.examples_sha256, provenance.examples_sha256
    if there is None or here is None:
        return "it is not known that both have the same validation examples"
    decide = "deciding" if pilots_of(run.evaluations, run.header, run.start) else "random"
    if decide != partial_examples:
        return f"they are on {decide} examples, and here they are on {partial_examples} ones"
    return ""


def disagreements(run: Run, config: SearchConfig, objectives: Sequence[Objective], provenance: Provenance) -> list[str]:
    """Say why the costly values of `run` do not hold for another run; nothing where they do."""
    costly = [objective for objective in objectives if objective.costly]
    if not costly:
        return []
    reasons = []
    units = {objective.name: objective.unit for objective in run.objectives}
    for objective in costly:
        if units.get(objective.name) != objective.unit:
            reasons.append(f"it did not measure {objective.name} in {objective.unit}")
        elif not objective.device_independent:
            reasons.append(f"{objective.name} may depend on the device")
    there, here = run.header.provenance.checkpoint_sha256, provenance.checkpoint_sha256
    if there is None or here is None:
        reasons.append("it is not known that both have the same checkpoint")
    elif there != here:
        reasons.append(f"its checkpoint is {there[:12]}, here it is {here[:12]}")
    there, here = run.precision, provenance.precision
    if there != here:
        reasons.append(f"its networks were validated in {there}, here they are in {here}")
    bits = provenance.weight_bits
    if bits is not None and run.weight_bits is None:
        reasons.append(f"it is not known how its int8 weights were kept, here they have {bits} bits")
    elif bits is not None and run.weight_bits != bits:
        reasons.append(f"its int8 weights have {run.weight_bits} bits, here they have {bits}")
    there, here = run.header.provenance.data, provenance.data
    if there != here:
        reasons.append(f"its data are {there or 'embedded'}, here they are {here or 'embedded'}")
    if run.config.split != config.split:
        reasons.append(f"its split is {run.config.split}, here it is {config.split}")
    there, here = run.header.provenance.examples_sha256, provenance.examples_sha256
    if there is not None and here is not None and there != here:
        reasons.append(f"its validation examples are {there[:12]}, here they are {here[:12]}")
    return reasons


def record_of(
    space: SearchSpace, row: tuple[int, ...], values: dict[str, float], deployment: int | None = None
) -> StartRecord:
    """Describe an architecture under the name of `space`."""
    architecture = space.architecture(row)
    return StartRecord(id=architecture.id, indices=architecture.indices, values=values, deployment=deployment)


def digest_of(folder: Path) -> str:
    """Return the sha256 of a run: of its description, then its evaluations."""
    digest = hashlib.sha256((folder / RUN_FILE).read_bytes())
    evaluations = folder / EVALUATIONS_FILE
    digest.update(evaluations.read_bytes() if evaluations.exists() else b"")
    return digest.hexdigest()
