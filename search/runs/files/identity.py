"""What makes a run the one it is: everything that decides its trajectory, compared field by field before it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ....supernets.space.space import SearchSpace
from ....version import VERSION
from ...archive import most_of
from ...config import STOPPING, SearchConfig
from ...deployments.provenance import Provenance
from ...errors import RunMismatch
from ...problem.objective import Objective, Quantity
from ...problem.problem import Problem
from .records import FIRST_CONTINUED, ObjectiveRecord, PartialExamples, RunHeader


def header_for(
    space: SearchSpace,
    config: SearchConfig,
    problem: Problem[Objective],
    provenance: Provenance,
    partial_examples: PartialExamples = "random",
) -> RunHeader:
    """Describe a run."""
    return RunHeader(
        config=config,
        space_digest=space.digest,
        objectives=tuple(
            ObjectiveRecord(o.name, o.unit, o.direction, worst)
            for o, worst in zip(problem.objectives, problem.reference)
        ),
        watched=tuple(Quantity(o.name, o.unit) for o in problem.watched),
        provenance=provenance,
        versions=installed_versions(),
        opening_budget=most_of(space, config.budget),
        partial_examples=partial_examples,
    )


def installed_versions() -> dict[str, str]:
    """Return the versions that can change a trajectory; absent packages are left out."""
    versions = {"gnomon": VERSION}
    for name in ("numpy", "pymoo", "moocore", "scikit-learn", "scipy", "torch"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def require_same(folder: Path, stored: RunHeader, asked: RunHeader) -> None:
    """Raise RunMismatch, naming the fields, unless both describe the same run, whenever that may stop."""
    ours, theirs = flat(stored.model_dump(mode="json")), flat(asked.model_dump(mode="json"))
    free = {"version", *(f"config.{field}" for field in STOPPING)}
    changed = [name for name in {**ours, **theirs} if name not in free and ours.get(name) != theirs.get(name)]
    if stored.version < FIRST_CONTINUED:
        raise RunMismatch(
            f"{folder} holds a run of format version {stored.version}, which can be read but not continued; choose "
            "another `folder`, or give that run up with `force=True`",
            fields=changed,
        )
    if changed:
        changes = "; ".join(f"{name}: {ours.get(name)!r} there, {theirs.get(name)!r} asked" for name in changed[:5])
        raise RunMismatch(
            f"{folder} holds another run ({changes}); choose another `folder`, or give that run up with `force=True`",
            fields=changed,
        )


def flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested mappings as one, with dotted names."""
    result: dict[str, Any] = {}
    for name, item in value.items():
        result |= flat(item, f"{prefix}{name}.") if isinstance(item, Mapping) else {f"{prefix}{name}": item}
    return result
