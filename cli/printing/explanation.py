"""How `gnomon predict --explain` prints: a network's layers, and what differs between two networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .line import print_line
from .table import number, print_table

if TYPE_CHECKING:
    from ...lut import Explanation, GroupShare, HardwareProfile, LayerShare
    from ...supernets import LayerSpec, SearchSpace, Slot

BAR_WIDTH = 20
INSIGNIFICANT_US = 1e-6  # below this, a constant is what floating point left over


def explanation_json(explanation: Explanation) -> dict[str, Any]:
    """Return an explanation as JSON, times in microseconds."""
    return {
        "layers": [layer_json(layer) for layer in explanation.layers],
        "stages": [asdict(group) for group in explanation.stages],
        "kinds": [asdict(group) for group in explanation.kinds],
        "isolated_us": explanation.isolated_us,
        "correction_us": explanation.correction_us,
        "unassigned_us": explanation.unassigned_us,
    }


def layer_json(layer: LayerShare) -> dict[str, Any]:
    """Return a layer's share as JSON, the layer by its key."""
    fields = asdict(layer)
    del fields["spec"], fields["position"], fields["part"]
    return {**fields, "stage": layer.stage, "key": layer.spec.key, "kind": layer.spec.kind}


def difference_json(first: Explanation, second: Explanation) -> dict[str, Any]:
    """Return what differs between two networks as JSON; `change_us` is negative where the second is faster.

    The changes of the slots and `unassigned_change_us`, which belongs to no layer, add up to it.
    """
    from ...lut import differences

    return {
        "first": first.architecture.id,
        "second": second.architecture.id,
        "change_us": second.value_us - first.value_us,
        "unassigned_change_us": second.unassigned_us - first.unassigned_us,
        "slots": [
            {
                "slot": found.slot,
                "first": found.first and found.first.key,
                "second": found.second and found.second.key,
                "first_us": found.first_us,
                "second_us": found.second_us,
                "change_us": found.change_us,
            }
            for found in differences(first, second)
        ],
    }


def print_explanation(profile: HardwareProfile, explanation: Explanation) -> None:
    """Print a network's layers, the sum they are corrected from, and the prediction with its interval."""
    space = profile.space
    bars = bars_of([layer.share for layer in explanation.layers])
    print_line(f"network  {explanation.architecture.id}")
    rows = [
        (
            layer.slot,
            label(layer.spec, space.slots[layer.position]) + (f" x {layer.runs}" if layer.runs > 1 else ""),
            layer.contribution_us,
            f"{100 * layer.share:.1f} %",
            bar,
            layer.isolated_us,
            f"{number(layer.isolated_low_us)} to {number(layer.isolated_high_us)}",
            layer.gmacs_per_s,
        )
        for layer, bar in zip(explanation.layers, bars)
    ]
    print_table(("slot", "layer", "us", "share", "", "alone us", "90 % of blocks", "GMAC/s"), rows)
    print_groups("stage", explanation.stages)
    print_groups("kind", explanation.kinds)
    print_line(f"alone    {explanation.isolated_us:,.1f} us: the sum of {explanation.runs} layers, each timed alone")
    model = profile.latency.report.model
    print_line(f"model    {explanation.correction_us:+,.1f} us: {model}, fitted to whole networks")
    if abs(explanation.unassigned_us) > INSIGNIFICANT_US:
        print_line(f"         {explanation.unassigned_us:+,.1f} us of it belong to no layer")
    print_line(f"total    {headline(explanation)}")


def headline(explanation: Explanation) -> str:
    """Return a prediction with its interval and its source, as a line."""
    low, high = explanation.low_us, explanation.high_us
    return f"{explanation.value_us:,.1f} us, 90 % in {low:,.1f} to {high:,.1f} us, {explanation.source}"


def print_groups(title: str, groups: tuple[GroupShare, ...]) -> None:
    """Print the latency of each stage or kind of layers."""
    bars = bars_of([group.share for group in groups])
    rows = [
        (
            g.name,
            g.layers,
            g.contribution_us,
            f"{100 * g.share:.1f} %",
            bar,
            g.isolated_us,
            g.macs / 1e6,
        )
        for g, bar in zip(groups, bars)
    ]
    print_table((title, "layers", "us", "share", "", "alone us", "MMACs"), rows)


def print_difference(space: SearchSpace, first: Explanation, second: Explanation) -> None:
    """Print the slots where two networks differ, and by how much."""
    from ...lut import differences

    slots = {slot.name: slot for slot in space.slots}
    rows = [
        (
            found.slot,
            "-" if found.first is None else label(found.first, slots[found.slot]),
            "-" if found.second is None else label(found.second, slots[found.slot]),
            found.first_us,
            found.second_us,
            found.change_us,
        )
        for found in differences(first, second)
    ]
    names = (first.architecture.id, second.architecture.id)
    print_line(f"differ   {names[0]} and {names[1]} in {len(rows)} of {len(space.slots)} slots")
    if rows:
        print_table(("slot", *names, "us", "us", "change us"), rows)
    change = second.value_us - first.value_us
    apart = first.high_us < second.low_us or second.high_us < first.low_us
    doubt = "do not overlap" if apart else "overlap, so this may be no difference at all"
    print_line(f"change   {change:+,.1f} us ({100 * change / first.value_us:+.1f} %); the 90 % intervals {doubt}")
    unassigned = second.unassigned_us - first.unassigned_us
    if abs(unassigned) > INSIGNIFICANT_US:
        print_line(f"         {unassigned:+,.1f} us of it belong to no layer")


def label(spec: LayerSpec, slot: Slot) -> str:
    """Describe a layer in a few words: kind, shapes, and the attributes in which its slot's options differ."""
    from ...supernets.layers.registry import output_shape
    from ...supernets.layers.values import shape_text

    shapes = ("+".join(one.shape_text for one in spec.all_inputs), shape_text(output_shape(spec)))
    options = [dict(option.attributes) for option in slot.specs if option is not None]
    varying = [
        f"{name} {value}"
        for name, value in spec.attributes
        if name != "out_channels" and any(option.get(name) != value for option in options)
    ]
    return " ".join([spec.kind, " > ".join(shapes), *varying])


def bars_of(shares: Sequence[float]) -> list[str]:
    """Return a bar for each share, drawn to the longest of them; none for a negative one, or where all are none."""
    longest = max(shares, default=0.0)
    return ["█" * round(BAR_WIDTH * max(share, 0.0) / longest) if longest > 0 else "" for share in shares]
