"""Translate between Once-for-All's layer names and our layers of MobileNetV3; what the words mean is in `ofa_yaml`."""

from __future__ import annotations

import itertools
import re

from ...supernets import LayerSpec
from ...supernets.families.stages import divisible

SIZES = r"[0-9]{1,6}(?:x[0-9]{1,6})*"
NAME = re.compile(
    rf"(?P<kind>\w+)-input:(?P<input>{SIZES})-output:(?P<output>{SIZES})(?P<rest>(?:-[a-z]+:[0-9]{{1,6}})*)"
)
BLOCK = ("expand", "kernel", "stride", "idskip", "se", "hs")
MOST_HEADS = 10_000  # combinations of parts; 25 resolutions of two widths have 200
HEAD = ("Conv_1", "Conv_2", "Logits")


def ofa_keys_of(spec: LayerSpec) -> dict[str, float]:
    """Return the keys of a layer, each with its share of the time; none for a layer that they cannot express."""
    found = dict(spec.attributes)
    channels, height, width = spec.input_shape if len(spec.input_shape) == 3 else (0, 0, 0)
    entering = f"input:{height}x{width}x{channels}"
    if spec.kind == "head" and found["mix_channels"]:
        return head_keys(spec, entering)
    stride, out = int(found.get("stride", 1)), found.get("out_channels")
    leaving = f"output:{-(-height // stride)}x{-(-width // stride)}x{out}"
    if spec.kind == "stem" and (found["kernel"], stride, found["activation"], channels) == (3, 2, "hswish", 3):
        return {f"Conv-{entering}-{leaving}": 1.0}
    if spec.kind != "mbconv" or found["activation"] not in ("relu", "hswish"):
        return {}
    mid, squeezed = int(found["mid_channels"]), int(found["se_channels"])
    if squeezed not in (0, divisible(mid // 4)):
        return {}
    numbers = (mid, found["kernel"], stride, found["residual"], int(squeezed > 0), int(found["activation"] == "hswish"))
    return {"-".join(["expanded_conv", entering, leaving, *(f"{n}:{v}" for n, v in zip(BLOCK, numbers))]): 1.0}


def head_keys(spec: LayerSpec, entering: str) -> dict[str, float]:
    """Return the head's four keys with shares by their multiply-accumulates, the pool's by its additions."""
    channels, height, width = spec.input_shape
    final, mix, classes = (spec.integer(name) for name in ("final_channels", "mix_channels", "classes"))
    pixels = height * width
    work = {
        f"Conv_1-{entering}-output:{height}x{width}x{final}": channels * final * pixels,
        f"AvgPool2D-input:{height}x{width}x{final}-output:1x1x{final}": final * pixels,
        f"Conv_2-input:1x1x{final}-output:1x1x{mix}": final * mix,
        f"Logits-input:1x1x{mix}-output:{classes}": mix * classes,
    }
    total = max(sum(work.values()), 1)
    return {key: part / total for key, part in work.items()}


def layers_from_ofa(keys: tuple[str, ...]) -> tuple[dict[LayerSpec, tuple[str, ...]], tuple[str, ...]]:
    """Return our layers with the keys whose times add up to theirs, and the keys that name none."""
    found: dict[LayerSpec, tuple[str, ...]] = {}
    for key in keys:
        spec = layer_of(key)
        if spec is not None:
            found[spec] = (key,)
    found |= heads_from(keys)
    used = {key for group in found.values() for key in group}
    return found, tuple(key for key in keys if key not in used)


def layer_of(key: str) -> LayerSpec | None:
    """Return the stem or block that `key` names; None for parts of a head, and for words that are not ours."""
    match = NAME.fullmatch(key)
    if match is None:
        return None
    entering, leaving = shape(match["input"]), shape(match["output"])
    pairs = [item.split(":") for item in match["rest"].split("-") if item]
    if len(entering) != 3 or len(leaving) != 3:
        return None
    if match["kind"] == "Conv" and not pairs:
        numbers = {"kernel": 3, "stride": 2, "out_channels": leaving[0]}
        spec = LayerSpec.of("stem", entering, activation="hswish", **numbers)
    elif match["kind"] == "expanded_conv" and tuple(name for name, _ in pairs) == BLOCK:
        mid, kernel, stride, residual, squeeze, swish = (int(value) for _, value in pairs)
        if stride < 1:
            return None
        spec = LayerSpec.of(
            "mbconv",
            entering,
            kernel=kernel,
            stride=stride,
            mid_channels=mid,
            out_channels=leaving[0],
            activation="hswish" if swish else "relu",
            se_channels=divisible(mid // 4) if squeeze else 0,
            residual=residual,
        )
    else:
        return None
    return spec if tuple(ofa_keys_of(spec)) == (key,) else None  # else shapes and numbers contradict each other


def heads_from(keys: tuple[str, ...]) -> dict[LayerSpec, tuple[str, ...]]:
    """Return the heads all of whose four parts are among `keys`; none when there are absurdly many combinations."""
    present = set(keys)
    matches = [match for match in map(NAME.fullmatch, keys) if match and not match["rest"]]
    widens, mixes, ends = ([match for match in matches if match["kind"] == kind] for kind in HEAD)
    found: dict[LayerSpec, tuple[str, ...]] = {}
    if len(widens) * len(mixes) * len(ends) > MOST_HEADS:
        return found
    for widen, mix, end in itertools.product(widens, mixes, ends):
        entering, final, mixed = (shape(part["input"]) for part in (widen, mix, end))
        classes = shape(end["output"])
        if [len(sizes) for sizes in (entering, final, mixed, classes)] != [3, 3, 3, 1]:
            continue
        spec = LayerSpec.of("head", entering, final_channels=final[0], mix_channels=mixed[0], classes=classes[0])
        group = tuple(ofa_keys_of(spec))
        if group and set(group) <= present:
            found[spec] = group
    return found


def shape(text: str) -> tuple[int, ...]:
    """Return HxWxC as (C, H, W); another number of sizes as it is."""
    sizes = tuple(int(size) for size in text.split("x"))
    return (sizes[2], sizes[0], sizes[1]) if len(sizes) == 3 else sizes
