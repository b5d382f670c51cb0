"""What the report says of a run: its drawings, its front as a table, its failures, and the data for the script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from ....errors import GnomonError
from ....lut import HardwareProfile
from ....lut.analysis.explain import explain
from ....search import ParetoFront, Run
from ....search.errors import SearchError
from ....search.problem.objective import Quantity
from ....supernets import Architecture, SearchSpace
from ..drawing.front import front_drawing
from ..drawing.genes import GeneUse, gene_drawing, most_telling
from ..drawing.numbers import number
from ..drawing.progress import growth_drawing
from ..drawing.strip import Strip, strips_drawing
from .members import head_of, members_of
from .points import View, unpriced, views_of
from .progress import expected_of, gained_from, growth_of, stopping_said
from .run_data import data_of
from .sources import RunSubject

MOST_DRAWN = 6000  # points over all views; the front is always drawn
MOST_GENES = 24
MOST_FAILURES, MOST_MEMBERS = 50, 300


@dataclass(frozen=True)
class RunContent:
    """A run as the report shows it; drawings are markup, `data` is what the script reads."""

    title: str
    facts: tuple[tuple[str, str], ...]
    views: tuple[tuple[View, Markup], ...]
    notes: tuple[str, ...]
    chosen: str | None
    head: tuple[str, ...]
    members: tuple[tuple[int, tuple[str, ...]], ...]
    more_members: int
    growth: Markup
    stopping: str
    expected: tuple[tuple[str, Markup], ...]
    genes: tuple[Markup, ...]
    more_genes: int
    strips: Markup | None
    failures: tuple[tuple[str, str, str], ...]
    more_failures: int
    data: dict[str, Any]


def run_content(subject: RunSubject, others: Sequence[HardwareProfile]) -> RunContent:
    """Collect what there is to say of a run; `others` are profiles that it is priced under besides its own."""
    run = subject.run
    views = views_of(run, subject.profiles, others) if run.measured else []
    front, why = front_of(run)
    chosen = front.knee().id if front is not None else None
    ids = tuple(measured.architecture.id for measured in run.measured)
    space, unknown_space = space_of(run)
    y = run.values[:, 0]
    drawn = max(1, MOST_DRAWN // max(1, len(views)))
    of_y = Quantity(run.objectives[0].name, run.objectives[0].unit)
    pictures = tuple((view, front_drawing(view, y, of_y, ids, drawn=drawn, chosen=chosen)) for view in views)
    thinned = [
        f"{drawn:,} of {int((~v.front).sum()):,} points off the front are drawn; all of them count"
        for v in views[:1]
        if (~v.front).sum() > drawn
    ]
    rows = members_of(subject, views)
    uses = [] if space is None else gene_uses(space, run, ids, views)
    telling = most_telling(uses, MOST_GENES)
    cost, trace = growth_of(run)
    return RunContent(
        title=f"{run.config.space}, searched by {run.config.tactic}",
        facts=facts_of(run),
        views=pictures,
        notes=(*why, *thinned, *unknown_space, *unpriced(run, others), *subject.notes),
        chosen=chosen,
        head=head_of(subject),
        members=tuple(rows[:MOST_MEMBERS]),
        more_members=max(0, len(rows) - MOST_MEMBERS),
        growth=growth_drawing(
            cost,
            trace,
            budget=run.config.budget,
            stopped_at=run.cost if run.stop else None,
            gained_from=gained_from(run),
        ),
        stopping=stopping_said(run),
        expected=expected_of(run),
        genes=tuple(map(gene_drawing, telling)),
        more_genes=len(uses) - len(telling),
        strips=strips_of(space, subject, others, front),
        failures=tuple((str(e.round), e.id, e.failed or "") for e in run.failures[:MOST_FAILURES]),
        more_failures=max(0, len(run.failures) - MOST_FAILURES),
        data=data_of(subject, views, space),
    )


def front_of(run: Run) -> tuple[ParetoFront | None, tuple[str, ...]]:
    """Return a run's front, or why it has none."""
    try:
        return run.front(), ()
    except SearchError as error:
        return None, (str(error),)


def space_of(run: Run) -> tuple[SearchSpace | None, tuple[str, ...]]:
    """Return the run's space, or why its genes have no names here."""
    try:
        return run.space(), ()
    except GnomonError as error:
        return None, (f"genes and layers are not shown: {error}",)


def facts_of(run: Run) -> tuple[tuple[str, str], ...]:
    """Return what was searched and what it took, each with its label."""
    config = run.config
    seconds = run.evaluations[-1].elapsed_s if run.evaluations else 0.0
    facts = [
        ("folder", str(run.folder)),
        ("searched", run.effort),
        ("took", f"{number(seconds)} s, seed {config.seed}"),
        (
            "objectives",
            ", ".join(
                f"{o.name} ({o.unit}, {'more' if o.direction == 'max' else 'less'} is better)" for o in run.objectives
            ),
        ),
        ("constraints", ", ".join(config.constraints) or "none"),
        ("precision", run.precision),
    ]
    if run.start is not None:
        facts.append(("started from", str(run.start)))
    return tuple(facts)


def gene_uses(space: SearchSpace, run: Run, ids: tuple[str, ...], views: Sequence[View]) -> list[GeneUse]:
    """Return how often each option of each gene was taken, where the gene has an effect."""
    if not views or not len(ids):
        return []
    rows = np.array([measured.architecture.indices for measured in run.measured], dtype=np.int64)
    active = space.active(rows)
    uses = []
    for gene, choice in enumerate(space.choices):
        shares = []
        for chosen in (views[0].front, np.ones(len(rows), dtype=np.bool_)):
            taken = rows[chosen & active[:, gene], gene]
            counts = np.bincount(taken, minlength=len(choice.options)) / max(1, len(taken))
            shares.append(tuple(float(share) for share in counts))
        if len(choice.options) > 1:
            uses.append(GeneUse(choice.name, tuple(map(str, choice.options)), shares[0], shares[1]))
    return uses


def strips_of(
    space: SearchSpace | None, subject: RunSubject, others: Sequence[HardwareProfile], front: ParetoFront | None
) -> Markup | None:
    """Return the strip of the knee beside those of the smallest and the largest network, and under other profiles."""
    if space is None or front is None or not subject.profiles:
        return None
    first, network = subject.profiles[0], space.network
    knee = space.network_of(front.knee()) if space.settings else front.knee()
    strips = strip_under("knee of the front", knee, first)
    for label, indices in (("smallest network", 0 * network.radices), ("largest network", network.radices - 1)):
        strips += strip_under(label, network.architecture(indices), first)
    for other in [*subject.profiles[1:], *others]:
        strips += strip_under(f"knee, {other.header.backend} {other.header.config.precision}", knee, other)
    return strips_drawing(strips) if strips else None


def strip_under(label: str, architecture: Architecture, profile: HardwareProfile) -> list[Strip]:
    """Return a network's strip under a profile; none where that cannot explain it."""
    try:
        found = explain(profile, Architecture(profile.space.name, architecture.indices))
    except GnomonError:
        return []  # another space, or a regression without layers: the facts of the profile say so
    return [Strip(label, f"{architecture.id}, {profile.header.device}"[:34], found)]
