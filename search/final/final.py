"""The honest end of a search: its front validated on examples, and timed on a machine, that the search did not use.

A search chooses by predicted latency and by noisy validations on one split. Here every member of the front is
validated on the other split and, where the profile's device and runtime are those of this machine, timed as a whole
exported network, all members interleaved, the profile's anchor beside them; then the front is ranked again by those
values. No network from outside the front is considered. A killed call goes on where it stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ...lut import HardwareProfile, application_with, reason_not_here
from ...profilers.journal import write_atomically
from ...profilers.transports.transport import Transport
from ...supernets.space.space import Architecture, SearchSpace
from ...temporary import discard
from ..deployments.provenance import LATENCY
from ..errors import RunMismatch
from ..problem.build import build_objectives, family_of
from ..problem.context import SearchContext
from ..problem.objective import Objective, measure
from ..problem.resource import FAMILIES
from ..problem.supernet import EvaluatesInFp32, SearchableSupernet, searchable
from ..runs.files.records import FINAL_FILE, TIMING_FOLDER, Evaluation
from ..runs.repricing import repriced
from ..runs.run import Run
from .front import FinalFront, final_from
from .place import opened
from .records import (
    FinalHeader,
    Record,
    Validation,
    run_digest,
)
from .timing import timings

CONTROLS = 8
OTHER_SPLIT = {"validation": "test", "test": "validation"}


def final_front(
    run: Run,
    *,
    supernet: SearchableSupernet | EvaluatesInFp32 | None = None,
    profile: HardwareProfile | None = None,
    data: str | None = None,
    controls: int = CONTROLS,
    period_ms: float | None = None,
    device: Transport | None = None,
    force: bool = False,
    on_step: Callable[[str], None] = lambda step: None,
) -> FinalFront:
    """Validate and time the front of `run`, write final.jsonl and final.json into its folder, and return the result.

    Costly objectives are measured on the split that the search did not use, of the front and of `controls` networks of
    the first rounds; members that the search evaluated on a share of its split are measured on all of that too. With a
    profile, latencies are measured if this is its device and runtime; where it is not the run's own, the front is
    priced anew with it first, and `on_step` is told. With `period_ms`, one inference every so often is timed besides
    the hot loop. Raises RunMismatch (a profile that cannot price the run; another checkpoint, space, or final front;
    the last not with `force`), Infeasible, MissingContext, RunDamaged, RunLocked, OutputUnusable, and the errors of lut
    and profilers.
    """
    supernet = searchable(supernet)
    run, header = asked_of(
        run, supernet=supernet, profile=profile, data=data, controls=controls, period_ms=period_ms, device=device
    )
    if run.pricing is not None:
        on_step(str(run.pricing))
    space = run.space()
    with opened(run.folder, header, space, force=force) as (journal, kept):
        records = list(kept)

        def append(record: Record) -> None:
            journal.append(record.model_dump(mode="json", by_alias=True))
            records.append(record)

        if not records:
            append(header)
        done = {(r.role, r.id) for r in records if isinstance(r, Validation)}
        costly = costly_objectives(run, space, supernet, header.report_split)
        costly_there = costly_objectives(run, space, supernet, header.search_split)
        in_part = {measured.architecture for measured in run.measured if measured.share < 1.0}
        todo = [item for item in networks_of(run, header) if (item[0], item[1].id) not in done]
        for number, (role, architecture, found) in enumerate(todo, 1):
            on_step(f"validating {role} {architecture.id} on the {header.report_split} split ({number} of {len(todo)})")
            if architecture in in_part:
                found = found | values_in_full(architecture, costly_there)
            append(validated(role, architecture, found, costly))
        if profile is not None:
            members = [record for record in records if isinstance(record, Validation) and record.role == "member"]
            for record in timings(run.folder, members, records, supernet, profile, header, on_step, device):
                append(record)
        final = final_from(run, records)
        if (run.folder / TIMING_FOLDER).is_dir():  # every timing is in the journal, so a kill after this costs nothing
            discard(run.folder / TIMING_FOLDER)
        write_atomically(run.folder / FINAL_FILE, final.to_json() + "\n")
    return final


def asked_of(
    run: Run,
    *,
    supernet: SearchableSupernet | None,
    profile: HardwareProfile | None,
    data: str | None,
    controls: int,
    period_ms: float | None,
    device: Transport | None,
) -> tuple[Run, FinalHeader]:
    """Return a run as a profile prices it, and what its final front is; writes nothing, and raises as `final_front`."""
    application_with(period_ms)
    if period_ms is not None and profile is None:
        raise RunMismatch("with a `period` inferences are timed; give a profile made here", fields=("profile",))
    if profile is not None:
        require_one_deployment(run)
        run = repriced(run, profile)
    return run, header_for(run, supernet, profile, data, controls, period_ms, device)


def unpredicted(run: Run) -> list[Evaluation]:
    """Return what was measured in full in the first rounds, before anything was predicted: no luck chose it."""
    opening = max(1, min((e.round for e in run.evaluations if e.expected), default=1))
    return [e for e in run.evaluations if e.round < opening and e.is_full]


def header_for(
    run: Run,
    supernet: SearchableSupernet | None,
    profile: HardwareProfile | None,
    data: str | None,
    controls: int,
    period_ms: float | None,
    device: Transport | None,
) -> FinalHeader:
    """Describe the final front that is asked for; raises RunMismatch for another profile or checkpoint, Infeasible."""
    if run.config.split not in OTHER_SPLIT:
        raise RunMismatch(
            f"the run was searched on the split {run.config.split!r}; a final front needs a split that the search did "
            f"not see, and knows {' and '.join(OTHER_SPLIT)}",
            fields=("config.split",),
        )
    checkpoint = None if supernet is None else supernet.checkpoint_sha256
    searched = run.header.provenance.checkpoint_sha256
    if checkpoint and searched and checkpoint != searched:
        raise RunMismatch(
            f"{run.folder} was searched with the checkpoint {searched[:12]}, and this is {checkpoint[:12]}; its "
            "networks would not be those of the front: pass the run's own as `checkpoint`",
            fields=("checkpoint_sha256",),
        )
    latency = LATENCY if profile is None else latency_of(run, profile)
    first = [evaluation.id for evaluation in unpredicted(run)]
    return FinalHeader(
        run=run_digest(run.folder),
        evaluations=None if run.pricing is None else len(run.evaluations),
        search_split=run.config.split,
        report_split=OTHER_SPLIT[run.config.split],
        front=tuple(architecture.id for architecture in run.front().architectures),
        controls=tuple(first[:controls]),
        profile=None if profile is None else {"name": profile.name, "sha256": profile.digest},
        checkpoint_sha256=checkpoint,
        data=data,
        not_timed=reason_not_timed(run, profile, device),
        latency=latency,
        period_ms=period_ms,
    )


def latencies_of(run: Run) -> tuple[str, ...]:
    """Name the objectives of a run that are latencies."""
    return tuple(objective.name for objective in run.objectives if family_of(objective.name) == LATENCY)


def require_one_deployment(run: Run) -> None:
    """Raise RunMismatch for a run whose networks run in several deployments: no profile is of all of them."""
    if deployments := run.header.provenance.deployments:
        raise RunMismatch(
            f"the networks of {run.folder} run in {len(deployments)} deployments, each as it is fastest, so one "
            "profile cannot time them; leave `profile` out, and time what you choose: gnomon export RUN --pick ID with "
            "all profiles",
            fields=("profile",),
        )


def latency_of(run: Run, profile: HardwareProfile) -> str:
    """Return the objective whose values come from this very profile; raises RunMismatch when there is none."""
    known = latencies_of(run)
    for name, source in run.header.provenance.sources.items():
        if name in known and source.sha256 == profile.digest:
            return name
    raise RunMismatch(
        f"{run.folder} does not optimise latency, so a profile says nothing of its front; leave `profile` out",
        fields=("profile",),
    )


def reason_not_timed(run: Run, profile: HardwareProfile | None, device: Transport | None) -> str | None:
    """Say why latencies stay predicted; None when they will be measured, or no objective is a latency."""
    if not latencies_of(run):
        return None
    if run.header.provenance.deployments:
        return "networks run in several deployments, each as it is fastest; gnomon export times what you choose"
    if profile is None:
        return "no profile was given; give one made here"
    return reason_not_here(profile, device) or None


def costly_objectives(
    run: Run, space: SearchSpace, supernet: SearchableSupernet | None, split: str
) -> tuple[Objective, ...]:
    """Build what has to be measured again, for another split; raises UnknownName, MissingContext.

    What a network takes does not depend on examples: memory and energy stay as the search measured them.
    """
    kept = (LATENCY, *FAMILIES)
    names = [objective.name for objective in run.objectives if family_of(objective.name) not in kept]
    built = build_objectives(names, SearchContext(space, supernet, split=split, precision=run.precision))
    return tuple(objective for objective in built if objective.costly)


def networks_of(run: Run, header: FinalHeader) -> Iterator[tuple[str, Architecture, dict[str, float]]]:
    """Yield (role, architecture, the search's values): the front in its order, then the controls."""
    front = run.front()
    names = [objective.name for objective in front.objectives]
    for architecture, values in zip(front.architectures, front.values):
        yield "member", architecture, dict(zip(names, values))
    full = {e.id: e for e in run.evaluations if e.is_full}
    for control in header.controls:
        yield "control", Architecture(run.config.space, full[control].indices), dict(full[control].values)


def validated(
    role: str, architecture: Architecture, found: dict[str, float], costly: Sequence[Objective]
) -> Validation:
    """Measure one network on the report split; raises InvalidValue."""
    began = time.monotonic()
    report = values_in_full(architecture, costly)
    return Validation.model_validate(
        {
            "role": role,
            "id": architecture.id,
            "indices": architecture.indices,
            "search": found,
            "report": report,
            "seconds": round(time.monotonic() - began, 4),
        }
    )


def values_in_full(architecture: Architecture, costly: Sequence[Objective]) -> dict[str, float]:
    """Measure one network on all examples of a split; raises InvalidValue."""
    row = np.array(architecture.indices, dtype=np.int64)
    return dict(zip((objective.name for objective in costly), measure(costly, row)))
