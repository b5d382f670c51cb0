"""Find layers that do more work than another layer and take less time.

Compared are layers of the same kind, input height and width, words and stride, where none of the numbers is smaller
(channels, kernel). A kernel tuned for one size can make this true, so it is a warning.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ...supernets import LayerSpec
from ...supernets.layers.registry import macs
from .finding import Finding, Rows

MARGIN = 0.05  # of the time; repeats of a layer agree within 1.5 %, sessions within 5 %
FIXED = ("stride", "residual")  # numbers that name another layer rather than a size


def not_monotone(rows: Rows) -> Iterator[Finding]:
    """Find pairs where more work takes less time by over 5 % and beyond what repeats of both differ by."""
    families: dict[tuple[object, ...], list[str]] = defaultdict(list)
    for key, spec in rows.specs.items():
        if rows.value_us[key] > 0:
            families[family_of(spec)].append(key)
    sizes = {key: sizes_of(rows.specs[key]) for keys in families.values() for key in keys}
    worst: dict[str, tuple[float, str]] = {}
    for keys in families.values():
        for large in keys:
            smaller = (small for small in keys if is_smaller(sizes[small], sizes[large]))
            gains = [(gain_of(rows, small, large), small) for small in smaller]
            gain, small = max(gains, default=(0.0, ""))
            if gain > MARGIN:
                worst[large] = (gain, small)
    if worst:
        large, (gain, small) = max(worst.items(), key=lambda item: item[1][0])
        text = (
            f"{len(worst)} layers do more work than a like one and take less time; most of all {large}, "
            f"{rows.value_us[large]:.4g} us, against {small}, {rows.value_us[small]:.4g} us ({100 * gain:.0f} % less)"
        )
        yield Finding("warning", "not_monotone", text, tuple(worst))


def family_of(spec: LayerSpec) -> tuple[object, ...]:
    """Return what must agree before two layers' sizes can be compared."""
    fixed = [(name, value) for name, value in spec.attributes if isinstance(value, str) or name in FIXED]
    other = (len(spec.input_shape), spec.input_shape[1:], spec.inputs[1:], tuple(one.range for one in spec.inputs))
    return (spec.kind, other, tuple(fixed), tuple(name for name, _ in spec.attributes))


def sizes_of(spec: LayerSpec) -> tuple[int, ...]:
    """Return the numbers that make layers of one family smaller or larger, its MACs last."""
    numbers = [value for name, value in spec.attributes if isinstance(value, int) and name not in FIXED]
    return (*spec.input_shape[:1], *numbers, macs(spec))


def is_smaller(small: tuple[int, ...], large: tuple[int, ...]) -> bool:
    """Tell whether no number of `small` exceeds that of `large`, and it does fewer MACs."""
    return all(x <= y for x, y in zip(small, large)) and small[-1] < large[-1]


def gain_of(rows: Rows, small: str, large: str) -> float:
    """Return by what share the larger layer is quicker, beyond the spreads of both; 0 where it is not."""
    quick, slow = rows.value_us[large], rows.value_us[small]
    spread = rows.spread_us.get(small, 0.0) + rows.spread_us.get(large, 0.0)
    return (slow - quick) / slow if slow - quick > spread else 0.0
