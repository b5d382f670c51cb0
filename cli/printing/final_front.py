"""How `gnomon finish` prints: a final front, split by split."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .line import print_line
from .table import number, print_table

if TYPE_CHECKING:
    from ...search.final.front import FinalFront
    from ...search.final.records import Timing


def print_final(final: FinalFront, *, members: bool = True) -> None:
    """Print the members with both splits in columns of their own, if asked for, and what is to be learned from them."""
    header, stay = final.header, [standing.on_front for standing in final.standings].count(True)
    print_line(f"final    {final.folder}: searched on {header.search_split}, reported on {header.report_split}")
    if final.pricing:
        print_line(f"priced   by {final.pricing}, which the run was not searched with")
    print_line(f"front    {stay} of {len(final.members)} members stay on the final front")
    if members:
        print_members(final)
    print_optimism(final)
    print_latency(final)
    print_pauses(final)


def print_members(final: FinalFront) -> None:
    """Print a row for each member, with both splits in columns of their own."""
    from ...search.deployments.provenance import LATENCY
    from ...search.problem.build import family_of

    header, named = final.header, {objective.name: objective for objective in final.objectives}
    columns = ["id"]
    for name in final.costly:
        columns += [named[name].headed(header.search_split), named[name].headed(header.report_split)]
    exact = [name for name in named if name not in final.costly and family_of(name) != LATENCY]
    timed = [name for name in named if family_of(name) == LATENCY]
    columns += [named[name].head for name in exact]
    for name in timed:
        columns += [named[name].headed("predicted"), named[name].headed("measured")]
    seen = [timing.seen for timing in final.timings.values() if timing.seen]
    columns += ["load (ms)", "first (us)"] if seen else []
    columns += [f"every {header.period_ms:g} ms (us)"] if header.period_ms is not None and seen else []
    rows: list[list[object]] = []
    for member, standing in zip(final.members, final.standings):
        row: list[object] = [member.id]
        for name in final.costly:
            row += [member.search[name], member.report[name]]
        row += [member.search[name] for name in exact]
        for name in timed:
            timing = final.timings.get(member.id) if name == header.latency else None
            row += [predicted(timing, member.search[name]), timing.measured_us if timing else None]
        row += seen_by_application(final.timings.get(member.id), len(columns) - len(row))
        stays = "unknown" if standing.on_front is None else "yes" if standing.on_front else "no"
        rows.append([*row, f"{stays}: {standing.reason}" if standing.reason else stays])
    print_table([*columns, "on the final front"], rows)


def seen_by_application(timing: Timing | None, cells: int) -> list[object]:
    """Return the cells of how a member starts, and of its latency with pauses; as many as are asked for."""
    seen = timing.seen if timing else None
    known: list[object] = [None] * 3 if seen is None else [seen.load_ms, seen.first_us, seen.paced_us]
    return known[:cells]


def print_pauses(final: FinalFront) -> None:
    """Print what a pause before each inference does to the front, where that was asked for."""
    found = final.pauses
    if found is None:
        return
    print_line(
        f"pauses   one inference every {found.period_ms:g} ms takes x {found.factor:.3f} of the hot loop's (95 % in "
        f"{found.low:.3f} to {found.high:.3f}; {found.least:.2f} to {found.most:.2f} by network), "
        f"{found.longer_us:.1f} us longer (median)"
        + ("" if found.kendall is None else f"; order as in the hot loop: Kendall tau {found.kendall:.3f}")
    )


def predicted(timing: Timing | None, value_us: float) -> str:
    """Write a predicted latency with its 90 % interval, where there is one."""
    if timing is None or timing.low_us is None or timing.high_us is None:
        return number(value_us)
    return f"{number(value_us)} [{number(timing.low_us)}, {number(timing.high_us)}]"


def print_optimism(final: FinalFront) -> None:
    """Print the optimism of the search: by how much the members scored better on the split that they were chosen on."""
    header, count = final.header, len(final.controls)
    for objective in final.objectives:
        optimism = final.optimism.get(objective.name)
        if optimism is None:
            continue
        sign = -1 if objective.direction == "max" else 1
        print_line(
            f"{objective.name:<8} {sign * optimism.front:+.2f} {objective.unit} from {header.search_split} to "
            f"{header.report_split} (mean of {len(final.members)} members)"
        )
        if optimism.controls is None or optimism.curse is None:
            continue
        error = "" if optimism.standard_error is None else f" (standard error {optimism.standard_error:.2f})"
        flattered = (
            f"flattered the front by {optimism.curse:.2f}" if optimism.curse > 0 else "did not flatter the front"
        )
        print_line(
            f"         {sign * optimism.controls:+.2f} for {count} networks of the first rounds, which nothing had "
            f"selected: so selection {flattered}{error}"
        )


def print_latency(final: FinalFront) -> None:
    """Print how right the predicted latencies were, or why none was measured."""
    found = final.agreement
    if found is None:
        if final.header.not_timed:
            print_line(f"latency  predicted, not measured: {final.header.not_timed}")
        return
    tau = "" if found.kendall is None else f"order as predicted: Kendall tau {found.kendall:.3f}; "
    print_line(
        f"latency  {tau}predictions miss by {found.mean_absolute_error_us:.3g} us, {found.mape_percent:.1f} % "
        f"(means of {found.networks})"
    )
    inside = found.within_interval_percent
    print_line(
        f"         the anchor layer takes {found.anchor_ratio:.2f} x its time in the profile; with that taken out "
        f"{found.mape_at_pace_percent:.1f} %"
        + ("" if inside is None else f", and {inside:.0f} % lie inside their 90 % intervals")
    )
