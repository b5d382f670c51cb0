"""How `gnomon predict --operators` prints: predicted shares beside those of the runtime's profiler."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .explanation import bars_of
from .table import print_table

if TYPE_CHECKING:
    from ...lut import HardwareProfile, OperatorReport
    from ...profilers import OperatorTime


def operators_json(report: OperatorReport) -> dict[str, Any]:
    """Return an operator report as JSON, times in microseconds; profiled times are inflated."""
    return {
        "measured_us": report.measured_us,
        "anchor_ratio": report.anchor_ratio,
        "profiled_inference_us": report.inference_us,
        "profiled_us": report.profiled_us,
        "outside_us": report.outside_us,
        "overhead": report.overhead,
        "differences": list(report.differences),
        "layers": [
            {
                "slot": found.layer.slot,
                "predicted_share": found.layer.share,
                "profiled_share": found.share,
                "profiled_us": found.profiled_us,
                "operators": [asdict(operator) for operator in found.operators],
            }
            for found in report.layers
        ],
        "unexplained": {
            "profiled_share": report.unexplained_share,
            "profiled_us": report.unexplained_us,
            "operators": [asdict(operator) for operator in report.unexplained],
        },
    }


def print_operators(profile: HardwareProfile, report: OperatorReport) -> None:
    """Print the shares, what no layer explains, and how far the profiled times can be trusted."""
    share = report.unexplained_share
    *bars, bar_of_none = bars_of([*(found.share for found in report.layers), share])
    rows = [
        (
            found.layer.slot,
            f"{100 * found.layer.share:.1f} %",
            f"{100 * found.share:.1f} %",
            bar,
            found.profiled_us,
            counted(found.operators),
        )
        for found, bar in zip(report.layers, bars)
    ]
    rows.append(
        (
            "no layer",
            "",
            f"{100 * share:.1f} %",
            bar_of_none,
            report.unexplained_us,
            counted(report.unexplained) or "-",
        )
    )
    print_table(("slot", "predicted", "profiled", "", "profiled us", "operators"), rows)
    backend, value = profile.header.backend, report.explanation.value_us
    print(
        f"measured {report.measured_us:,.1f} us here and now, not profiled; predicted were {value:,.1f} us, and the "
        f"anchor takes {report.anchor_ratio:.2f} x its time in the profile"
    )
    print(
        f"profiled {report.inference_us:,.1f} us an inference under the profiler of {backend}, {report.overhead:.2f} x "
        f"as long; {report.profiled_us:,.1f} us of it in operators, {report.outside_us:,.1f} us outside"
    )
    if any(found.layer.runs > 1 for found in report.layers):
        print(
            "         That is the runs alone: handing values from run to run, which was measured too, is not profiled."
        )
    print("         Profiled times are inflated, most where operators are short, and counted in whole microseconds:")
    print("         they explain and are no latencies. Compare shares only.")
    for difference in report.differences:
        print(f"differs  {difference}")


def counted(operators: Iterable[OperatorTime]) -> str:
    """Name the kinds of some operators, how many of each, in order of first appearance."""
    kinds = Counter(operator.kind.partition(" ")[0] for operator in operators)
    return ", ".join(f"{count} {kind}" for kind, count in kinds.items())
