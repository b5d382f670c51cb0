"""Compare two hardware profiles: first what else differs between them, then what became slower or faster.

A ratio is b / a. A change of all layers by one factor points at the clock, the session or the device; a change of some
layers alone points at kernels. Where the environments differ, they are the likely cause of
a change, so their differences are printed first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from ...profilers.results.drift import anchors_us
from ...profilers.timing.clean import TOLERANCE
from ..errors import ProfileMismatch
from ..kernels.profile_file.profile import KernelProfile
from ..profile_file.profile import HardwareProfile
from .significance import FREEDOM, Array, holm, log_errors, median_interval, t_quantile, two_sided_p, widened

BOOKKEEPING = {"record", "schema_id", "version", "plan", "created", "seconds", "sessions", "session_starts_s"}
AnyProfile = HardwareProfile | KernelProfile
Verdict = Literal["slower", "faster", "same", "unsure"]

LEVEL = 0.05  # chance of any false alarm in a comparison
EFFECT = 0.02  # the smallest change that is called one
EQUAL = 0.05  # a layer is the same when its 90 % interval lies within this share
DISTURBED_PERCENT = 40  # of an anchor's visits; at 60 % two of three comparisons have a false alarm
FEW = 0.1  # of the layers: up to this share may change by themselves and a common factor still be called common


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of the environment in which the profiles differ."""

    field: str
    a: Any
    b: Any


@dataclass(frozen=True, slots=True)
class LayerChange:
    """A layer in both profiles: latencies, their ratio b / a with a 95 % interval, and the verdict.

    `p` is corrected for the number of layers. `specific` says that the ratio differs from the factor common to all.
    """

    key: str
    a_us: float
    b_us: float
    ratio: float
    low: float
    high: float
    p: float
    verdict: Verdict
    specific: bool


@dataclass(frozen=True)
class ProfileDiff:
    """How profile b differs from a. `ratio` is the median over the layers, `low` to `high` its 95 % interval.

    `anchor_ratio` is the anchors', where both profiles have the same one. `only_a` and `only_b` are layers that the
    other profile lacks. `caution` is a reason to distrust the verdicts on single layers. `noun` is what the layers are:
    layers, or kernels of two kernel profiles.
    """

    environment: tuple[Difference, ...]
    layers: tuple[LayerChange, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    ratio: float
    low: float
    high: float
    anchor_ratio: float | None
    caution: str | None
    noun: str = "layers"

    @property
    def ranked(self) -> tuple[LayerChange, ...]:
        """All layers, the largest ratio either way first."""
        return tuple(sorted(self.layers, key=lambda layer: -abs(math.log(layer.ratio))))

    @property
    def changed(self) -> tuple[LayerChange, ...]:
        """The layers that became slower or faster, the largest change first."""
        return tuple(layer for layer in self.ranked if layer.verdict in ("slower", "faster"))

    @property
    def is_common(self) -> bool:
        """Whether all layers changed by one factor: it is no noise, it matters, and few layers deviate from it."""
        moved = (self.low > 1 or self.high < 1) and abs(math.log(self.ratio)) >= math.log(1 + EFFECT)
        return moved and sum(layer.specific for layer in self.layers) <= FEW * len(self.layers)

    @property
    def summary(self) -> str:
        """The whole comparison in a sentence."""
        specific = sum(layer.specific for layer in self.layers)
        factor = f"x{self.ratio:.3f} (95 %: {self.low:.3f} to {self.high:.3f})"
        if self.is_common:
            rest = f"; {specific} {self.noun} deviate from that" if specific else ""
            return f"all {self.noun} changed by a common factor {factor}{rest}: look at clock, session and device first"
        if not self.changed:
            return f"no {self.noun[:-1]} changed beyond noise; median ratio {factor}"
        return (
            f"{len(self.changed)} of {len(self.layers)} {self.noun} changed by themselves, median ratio {factor}: "
            f"look at {'their kernels' if self.noun == 'layers' else 'the runtime'}"
        )

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as a JSON object, environment first."""
        return asdict(self) | {"common": self.is_common, "summary": self.summary}


def diff_profiles(a: HardwareProfile, b: HardwareProfile) -> ProfileDiff:
    """Compare the layers that both profiles have; raises ProfileMismatch when there are none."""
    keys = tuple(key for key in a.table.measurements if key in b.table.measurements)
    if not keys:
        raise ProfileMismatch(
            f"{a.name} (space {a.header.space}) and {b.name} (space {b.header.space}) have no measured layer in "
            "common, so there is nothing to compare; give two profiles of the same space",
            fields=("space",),
        )
    before = [a.table.measurements[key] for key in keys]
    after = [b.table.measurements[key] for key in keys]
    return compared(
        a,
        b,
        keys,
        [(old.value_us, new.value_us) for old, new in zip(before, after)],
        own_errors=(log_errors(before), log_errors(after)),
        only_a=tuple(key for key in a.table.measurements if key not in b.table.measurements),
        only_b=tuple(key for key in b.table.measurements if key not in a.table.measurements),
        caution=caution_of(a, b),
    )


def compared(
    a: AnyProfile,
    b: AnyProfile,
    keys: tuple[str, ...],
    times_us: list[tuple[float, float]],
    *,
    own_errors: tuple[Array, Array],
    only_a: tuple[str, ...],
    only_b: tuple[str, ...],
    caution: str | None,
    noun: str = "layers",
) -> ProfileDiff:
    """Compare what both profiles have, by keys (n,), times and standard errors (n,) of log times."""
    log_ratios = np.array([math.log(after / before) for before, after in times_us])
    errors = np.hypot(*own_errors)
    low, high = median_interval(log_ratios)
    return ProfileDiff(
        environment=tuple(environment_of(a, b)),
        layers=changes(keys, log_ratios, errors, times_us, freedom_of(a, b)),
        only_a=only_a,
        only_b=only_b,
        ratio=math.exp(float(np.median(log_ratios))),
        low=math.exp(low),
        high=math.exp(high),
        anchor_ratio=anchor_ratio(a, b),
        caution=caution,
        noun=noun,
    )


def freedom_of(a: AnyProfile, b: AnyProfile) -> int:
    """Return the degrees of freedom of a difference: of the processes of both, where each has several.

    What a process adds to a single model has long tails, and a few processes say little of them.
    """
    if a.processes is None or b.processes is None:
        return FREEDOM
    return 2 * max(2, min(a.processes.processes, b.processes.processes) - 1)


def changes(
    keys: tuple[str, ...],
    log_ratios: Array,
    errors: Array,
    times_us: list[tuple[float, float]],
    freedom: int = FREEDOM,
) -> tuple[LayerChange, ...]:
    """Judge log ratios (n,) with their standard errors (n,), all layers at once."""
    centre = float(np.median(log_ratios))
    errors = widened(errors, log_ratios, centre)
    from_one = holm([two_sided_p(ratio / error, freedom) for ratio, error in zip(log_ratios, errors)])
    from_centre = holm([two_sided_p((ratio - centre) / error, freedom) for ratio, error in zip(log_ratios, errors)])
    half, narrow = t_quantile(0.95, freedom) * errors, t_quantile(0.90, freedom) * errors
    effect = math.log(1 + EFFECT)
    return tuple(
        LayerChange(
            key=key,
            a_us=times_us[i][0],
            b_us=times_us[i][1],
            ratio=math.exp(log_ratios[i]),
            low=math.exp(log_ratios[i] - half[i]),
            high=math.exp(log_ratios[i] + half[i]),
            p=float(from_one[i]),
            verdict=verdict_of(float(log_ratios[i]), float(from_one[i]), float(narrow[i])),
            specific=bool(from_centre[i] < LEVEL and abs(log_ratios[i] - centre) >= effect),
        )
        for i, key in enumerate(keys)
    )


def verdict_of(log_ratio: float, p: float, half_width: float) -> Verdict:
    """Return what a log ratio, its corrected p-value and its 90 % interval say."""
    if p < LEVEL and abs(log_ratio) >= math.log(1 + EFFECT):
        return "slower" if log_ratio > 0 else "faster"
    return "same" if abs(log_ratio) + half_width <= math.log(1 + EQUAL) else "unsure"


def anchor_ratio(a: AnyProfile, b: AnyProfile) -> float | None:
    """Return how much longer the anchor took in `b`; None unless both have the same one."""
    levels = []
    for profile in (a, b):
        if {anchor.key for anchor in profile.anchors} != {anchor.key for anchor in a.anchors} or not a.anchors:
            return None
        levels.append(anchors_us(profile.anchors))
    return levels[1] / levels[0]


def caution_of(a: HardwareProfile, b: HardwareProfile) -> str | None:
    """Return why verdicts may be false alarms; None when nothing speaks for it."""
    if (moved := moved_level(a, b)) is not None:
        return moved
    never = max((a, b), key=lambda profile: profile.never_clean_layers)
    if never.never_clean_layers:
        return (
            f"{never.never_clean_layers} layers of {never.name} were never seen undisturbed: changes of theirs may be "
            "false alarms"
        )
    disturbed = max((a, b), key=lambda profile: 0.0 if profile.header.contention else profile.disturbed_percent)
    if disturbed.header.contention or disturbed.disturbed_percent <= DISTURBED_PERCENT:
        return None
    return (
        f"other work slowed {disturbed.disturbed_percent:.0f} % of the visits of {disturbed.name}, so a layer may "
        "never have been seen undisturbed: single changes may be false alarms"
    )


def moved_level(a: HardwareProfile, b: HardwareProfile) -> str | None:
    """Say that the probe's clean level moved between two profiles; None where it did not, or is not known."""
    if a.clean_level_us is None or b.clean_level_us is None:
        return None
    slower, other = (b, a) if b.clean_level_us > a.clean_level_us else (a, b)
    ratio = max(a.clean_level_us, b.clean_level_us) / min(a.clean_level_us, b.clean_level_us)
    if ratio <= 1 + TOLERANCE:
        return None
    return (
        f"at its best, the core of {slower.name} took {ratio:.2f} times as long for the same arithmetic as that of "
        f"{other.name}: it was shared all the time, or its clock was lower, and either slows models unlike each other"
    )


def environment_of(a: AnyProfile, b: AnyProfile) -> Iterator[Difference]:
    """Yield the fields in which two profiles' environments differ: model, then runtime, then device."""
    ours, theirs = described(a), described(b)
    for field in dict.fromkeys((*ours, *theirs)):
        if ours.get(field) != theirs.get(field):
            yield Difference(field, ours.get(field), theirs.get(field))


def described(profile: AnyProfile) -> dict[str, Any]:
    """Flatten what can change a time: one level of the header's mappings becomes `name.field`.

    When, and in how many sessions, it was measured differs between any two; so does what came out, as the quality.
    """
    header = profile.header.model_dump(exclude=BOOKKEEPING)
    order = ("space", "space_digest", "backend", "config", "versions", "device", "hardware", "options", "policy")
    found: dict[str, Any] = {}
    for name in (*(name for name in order if name in header), *(name for name in header if name not in order)):
        value = header[name]
        found |= {f"{name}.{key}": item for key, item in value.items()} if isinstance(value, Mapping) else {name: value}
    return found
