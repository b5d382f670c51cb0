"""Does a profile still hold? What a handful of its models, timed again, says of the whole.

Three questions, each answered by an interval and not by the absence of significance:

1. *Did single models move?* Each model's change is compared with the one common to all, and so is the mean change of
   each kind of layer and of the whole networks (Holm's correction, 5 % for any false alarm, at least 2 %). Then a
   factor cannot mend the profile. How much a model differs from process to process is seen in those processes, and
   counts for the profile's own process too, where that was a single one.
2. *Did they move alike?* Each group's 90 % interval must lie within 5 % of the common change; else nothing is known.
3. *By how much?* Processes of one device differ as a whole, so the models are timed in several. The common factor is
   the mean over processes of the median over models. The scatter of so few processes is moderated by what sessions
   usually differ by. The profile holds if the factor's 90 % interval lies within 2.5 %, which the intervals of its
   predictions allow for; if it does not and excludes 1, the device moved.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ...profilers.timing.measurement import Measurement
from .diff import EFFECT, LEVEL, LayerChange, changes
from .significance import BETWEEN_SESSIONS, Array, holm, log_errors, t_quantile, two_sided_p, widened

Answer = Literal["holds", "moved", "changed", "unsure"]

HOLDS = math.log(1.025)  # a common factor within this is allowed for by a profile's own intervals
ALIKE = math.log(1.05)  # a group of models within this of the common factor moved as all did
PRIOR_FREEDOM = 4  # what is known of the scatter of processes beforehand counts as so many degrees of freedom
CONFIDENCE = 0.90


@dataclass(frozen=True, slots=True)
class GroupChange:
    """How a kind of layer, or the whole networks, changed beyond the common factor: ratio and 90 % interval."""

    name: str
    models: int
    ratio: float
    low: float
    high: float
    specific: bool


@dataclass(frozen=True, slots=True)
class Validity:
    """Whether a profile holds: the factor that the device takes now, its 90 % interval, and what deviates from it.

    answer: "holds"; "moved", all models by this factor; "changed", some of them by themselves; "unsure".
    """

    answer: Answer
    ratio: float
    low: float
    high: float
    processes: int
    models: tuple[LayerChange, ...]
    groups: tuple[GroupChange, ...]

    @property
    def specific(self) -> tuple[str, ...]:
        """What moved by itself: groups first, then single models, each with its ratio to the profile's time."""
        groups = (f"{g.name} x{g.ratio * self.ratio:.3f}" for g in self.groups if g.specific)
        return (*groups, *(f"{model.key} x{model.ratio:.3f}" for model in self.models if model.specific))

    @property
    def sentence(self) -> str:
        """The answer with its evidence."""
        factor = f"x{self.ratio:.3f} (90 %: {self.low:.3f} to {self.high:.3f})"
        of = f"of {len(self.models)} layers and networks in {self.processes} processes"
        if self.answer == "changed":
            named = ", ".join(self.specific[:3])
            more = len(self.specific) - 3
            others = f" and {more} more" if more > 0 else ""
            return f"it no longer holds: {named}{others} moved by themselves, all in the middle by {factor}, {of}"
        if self.answer == "moved":
            return f"the device moved as a whole, by {factor}, {of}"
        if self.answer == "holds":
            as_before = f"{math.exp(-HOLDS):.3f} to {math.exp(HOLDS):.3f} is as before"
            return f"it holds: the device takes {factor} of the profile's times, {of}; {as_before}"
        wide = [g for g in self.groups if not is_alike(g)]
        why = f"{wide[0].name} may have moved by {wide[0].low:.3f} to {wide[0].high:.3f} beyond that" if wide else ""
        return f"it cannot be told whether it holds: {factor}, {of}" + (f"; {why}" if why else "")


def is_alike(group: GroupChange) -> bool:
    """Tell whether a group is shown to have moved as all did."""
    return math.log(group.low) >= -ALIKE and math.log(group.high) <= ALIKE


def validity_of(
    keys: Sequence[str],
    groups: Sequence[str],
    then: Sequence[Measurement],
    now: Sequence[Sequence[Measurement]],
) -> Validity:
    """Judge n models by their measurements in a profile, (n,), and now, (p, n) in p processes; ValueError for none.

    groups: the kind of each model.
    """
    if not keys or not now:
        raise ValueError(f"{len(keys)} models in {len(now)} processes say nothing; expected at least one of each")
    before = np.log([measurement.value_us for measurement in then])
    ratios = np.array([np.log([measurement.value_us for measurement in taken]) - before for taken in now])
    factors = np.median(ratios, axis=1)
    own_errors = np.sqrt(np.mean([log_errors(taken) ** 2 for taken in now], axis=0))
    between = between_processes(ratios - factors[:, None], own_errors)
    lone = np.array([len(measurement.used_by_process) < 2 for measurement in then])  # else `log_errors` counts it
    errors = np.sqrt(log_errors(then) ** 2 + own_errors**2 / len(now) + between**2 * (lone + 1 / len(now)))
    common = float(factors.mean())
    each = (ratios - factors[:, None]).mean(axis=0) + common
    half = t_quantile(CONFIDENCE, freedom_of(len(now))) * math.hypot(
        process_error(factors), 1.25 * float(np.sqrt(np.mean(errors**2) / len(keys)))
    )
    times = [(a.value_us, a.value_us * math.exp(ratio)) for a, ratio in zip(then, each)]
    models = changes(tuple(keys), each, errors, times)
    found = group_changes(groups, each, errors, common)
    return Validity(
        answer=answer_of(common - half, common + half, models, found),
        ratio=math.exp(common),
        low=math.exp(common - half),
        high=math.exp(common + half),
        processes=len(now),
        models=models,
        groups=found,
    )


def between_processes(residuals: Array, errors: Array) -> Array:
    """Return the standard deviation of each model's log latency from process to process, (n,), beyond its own errors.

    residuals: log ratios less the process's factor, (p, n); errors: of each within a process, (n,). A model's own
    scatter is moderated by that of all; a single process shows none.
    """
    if len(residuals) < 2:
        return np.zeros_like(errors)
    own, weight = np.var(residuals, axis=0, ddof=1), len(residuals) - 1
    moderated = (PRIOR_FREEDOM * float(np.mean(own)) + weight * own) / (PRIOR_FREEDOM + weight)
    return np.asarray(np.sqrt(np.maximum(moderated - errors**2, 0.0)))


def freedom_of(processes: int) -> int:
    """Return the degrees of freedom of a moderated scatter; an even number, as `t_quantile` needs."""
    return PRIOR_FREEDOM + 2 * ((processes - 1) // 2)


def process_error(factors: Array) -> float:
    """Return the standard error of the mean of the processes' log factors, (p,), their scatter moderated."""
    own = float(np.var(factors, ddof=1)) if len(factors) > 1 else 0.0
    weight = len(factors) - 1
    scatter = (PRIOR_FREEDOM * BETWEEN_SESSIONS**2 + weight * own) / (PRIOR_FREEDOM + weight)
    return math.sqrt(scatter / len(factors))


def group_changes(groups: Sequence[str], ratios: Array, errors: Array, common: float) -> tuple[GroupChange, ...]:
    """Return how each group's mean log ratio deviates from the common one; ratios and errors are of n models, (n,)."""
    names, kinds = sorted(set(groups)), np.array(groups)
    errors = widened(errors, ratios, float(np.median(ratios)))
    means = [float(np.mean(ratios[kinds == name])) - common for name in names]
    spreads = [float(np.sqrt(np.sum(errors[kinds == name] ** 2)) / np.sum(kinds == name)) for name in names]
    chances = holm([two_sided_p(mean / spread) for mean, spread in zip(means, spreads)])
    width = t_quantile(CONFIDENCE)
    return tuple(
        GroupChange(
            name=name,
            models=int(np.sum(kinds == name)),
            ratio=math.exp(mean),
            low=math.exp(mean - width * spread),
            high=math.exp(mean + width * spread),
            specific=bool(chance < LEVEL and abs(mean) >= math.log(1 + EFFECT)),
        )
        for name, mean, spread, chance in zip(names, means, spreads, chances)
    )


def answer_of(low: float, high: float, models: Sequence[LayerChange], groups: Sequence[GroupChange]) -> Answer:
    """Return the answer to the three questions, by the log interval of the common factor."""
    if any(model.specific for model in models) or any(group.specific for group in groups):
        return "changed"
    if not all(is_alike(group) for group in groups):
        return "unsure"
    if low >= -HOLDS and high <= HOLDS:
        return "holds"
    return "moved" if low > 0 or high < 0 else "unsure"
