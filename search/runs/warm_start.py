"""Start a run from another one on the same space, for instance from another device's.

Values are never copied blindly. Where checkpoint, data, split, precision and the bits of int8 weights of both runs
agree, what the other measured counts as evidence: its costly values as they are, cheap ones computed anew. Where they
do not, or an objective depends on the device, only the architectures of its front are taken, to be measured first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...supernets.space.space import SearchSpace
from ..config import SearchConfig
from ..deployments.provenance import Provenance
from ..errors import InvalidConfig
from ..fronts.ranking import best_first
from ..problem.context import ChoosesDeployments
from ..problem.objective import Objective
from .files.records import EVALUATIONS_FILE, RUN_FILE
from .files.start import Start, StartHeader, StartRecord
from .run import Run


def start_from_run(
    run: Run,
    space: SearchSpace,
    config: SearchConfig,
    *,
    objectives: Sequence[Objective],
    provenance: Provenance,
    deployments: ChoosesDeployments | None = None,
) -> Start:
    """Take from `run` what holds for a new run; raises InvalidConfig for a run of another space, Infeasible.

    `objectives` are all that the new run measures, those that it only constrains included; `deployments` choose how its
    networks are run, where there are several.
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
    header = StartHeader(
        source=digest_of(run.folder), name=name, takes="values", why="checkpoint, data and split agree"
    )
    whole = [measured for measured in run.measured if measured.share == 1.0]
    rows = [measured.architecture.indices for measured in whole]
    indices = np.array(rows, dtype=np.int64).reshape(-1, len(space.choices))
    columns = {}
    for objective in objectives:
        if objective.costly:
            column = run.header.names.index(objective.name)
            columns[objective.name] = [measured.values[column] for measured in whole]
        else:
            columns[objective.name] = [float(value) for value in objective.values(indices)]
    chosen = None if deployments is None else deployments.chosen(indices)
    records = []
    for i, row in enumerate(rows):
        values = {name: column[i] for name, column in columns.items()}
        records.append(record_of(space, row, values, None if chosen is None else int(chosen[i])))
    return Start(header, tuple(records))


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
