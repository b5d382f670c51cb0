"""Two profiles, or two runs, beside each other: first how their environments differ, then the numbers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from ....errors import GnomonError
from ....lut import HardwareProfile, diff_profiles
from ....search import Run
from ....search.errors import SearchError
from ..drawing.compared_fronts import fronts_drawing
from ..drawing.forest import forest_drawing
from ..drawing.numbers import number

MOST_LAYERS = 40


@dataclass(frozen=True)
class Compared:
    """Two things beside each other; `differences` are (field, first, second)."""

    title: str
    said: tuple[str, ...]
    differences: tuple[tuple[str, str, str], ...]
    drawing: Markup | None


def compared_profiles(a: HardwareProfile, b: HardwareProfile) -> Compared:
    """Compare the layers of two profiles; says why where they have none in common."""
    title = f"{a.name} against {b.name}"
    try:
        found = diff_profiles(a, b)
    except GnomonError as error:
        return Compared(title, (str(error),), (), None)
    said = [found.summary]
    if found.anchor_ratio is not None:
        said.append(f"the anchor layer, timed all along both: x{found.anchor_ratio:.3f}")
    said += [found.caution] if found.caution else []
    said += [
        f"{len(keys)} layers only in the {which}"
        for which, keys in (("first", found.only_a), ("second", found.only_b))
        if keys
    ]
    shown = found.ranked[:MOST_LAYERS]
    if len(shown) < len(found.layers):
        said.append(f"the {len(shown)} largest of {len(found.layers)} changes are drawn")
    differences = tuple((d.field, written(d.a), written(d.b)) for d in found.environment)
    return Compared(title, tuple(said), differences, forest_drawing(shown, median=found.ratio))


def compared_runs(a: Run, b: Run) -> Compared:
    """Compare two runs: settings and provenance first, then their fronts on common axes."""
    title = f"{a.folder} against {b.folder}"
    fields = [(flat(run.header.model_dump(mode="json", by_alias=True))) for run in (a, b)]
    names = [name for name in {**fields[0], **fields[1]} if fields[0].get(name) != fields[1].get(name)]
    differences = tuple((name, written(fields[0].get(name)), written(fields[1].get(name))) for name in names)
    said = [f"{run.folder}: {run.effort}, hypervolume {number(run.hypervolume())}" for run in (a, b)]
    if [o.reference for o in a.header.objectives] != [o.reference for o in b.header.objectives]:
        said.append("the hypervolumes end at different reference points, so they do not compare")
    if [o.name for o in a.objectives] != [o.name for o in b.objectives] or len(a.objectives) < 2:
        said.append("their objectives differ, or are one, so their fronts are not drawn together")
        return Compared(title, tuple(said), differences, None)
    try:
        picture = fronts_drawing(
            [(str(run.folder), [values[:2] for values in run.front().values]) for run in (a, b)],
            (a.objectives[0].head, a.objectives[1].head),
        )
    except SearchError as error:
        return Compared(title, (*said, str(error)), differences, None)
    return Compared(title, tuple(said), differences, picture)


def flat(value: Any, prefix: str = "") -> dict[str, Any]:
    """Return the fields of nested objects under dotted names."""
    if not isinstance(value, dict):
        return {prefix: value}
    return {
        name: leaf for key, inner in value.items() for name, leaf in flat(inner, f"{prefix}.{key}".strip(".")).items()
    }


def written(value: Any) -> str:
    """Write a field's value in short."""
    text = value if isinstance(value, str) else "absent" if value is None else json.dumps(value)
    return text if len(text) <= 160 else f"{text[:159]}…"
