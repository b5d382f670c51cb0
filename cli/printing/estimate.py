"""What a verb would cost, for `--dry-run`: time as a range, and what stays on the disk."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from .line import print_line

if TYPE_CHECKING:
    from ...lut import BundleEstimate
    from ...search import Run
    from ...supernets.evaluation.supernet import Supernet
    from ...supernets.training.estimate import TrainingEstimate

EVALUATION_KIB = 0.7  # a line of evaluations.jsonl


def print_cost(least_s: float, most_s: float, disk_mib: float, *, because: str) -> None:
    """Print the range of time, the disk, and where both come from."""
    print_line(f"time     {span(least_s)} to {span(most_s)}: {because}")
    print_disk(disk_mib)


def print_disk(disk_mib: float) -> None:
    """Print what stays on the disk."""
    print_line(f"disk     about {disk_mib:.0f} MiB" if disk_mib >= 1 else "disk     less than 1 MiB")
    print_line("nothing was run for good, and nothing is written")


def print_builds(
    models: Mapping[str, bytes], build: Callable[[bytes], int], *, times: int = 1, further_s: float = 0.0
) -> None:
    """Print what building ONNX `models` so many `times` costs, by building the smallest and the largest file now.

    `build` returns the bytes that stay on the disk. `further_s` comes on top.
    """
    ordered = sorted(models, key=lambda name: len(models[name]))
    ends = dict.fromkeys((ordered[0], ordered[-1]))
    took_s, share = [], 0.0
    for name in ends:
        started_s = time.monotonic()
        size = build(models[name])
        took_s.append(time.monotonic() - started_s)
        share = max(share, size / len(models[name]))
    print_line(f"each     {' and '.join(f'{span(s)} for {name}' for name, s in zip(ends, took_s))}, as just built")
    count = times * len(models)
    disk_mib = share * sum(map(len, models.values())) / 2**20
    least_s, most_s = (count * s + further_s for s in (min(took_s), max(took_s)))
    print_cost(least_s, most_s, disk_mib, because=f"{count} {'builds' if count > 1 else 'build'}, one after the other")


def print_training(estimate: TrainingEstimate, weights_mib: float) -> None:
    """Print what a training would cost."""
    print_line(
        f"each     {estimate.first_s:.2g} s a step of the first phase and {estimate.last_s:.2g} s of the last, as just "
        "measured"
    )
    because = f"{estimate.steps:,} steps; judging each epoch comes on top"
    print_cost(*estimate.seconds, 4 * weights_mib, because=because)  # weights, and the checkpoint of a run


def span(seconds: float) -> str:
    """Write a length of time in the unit that suits it."""
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 1 else "under 1 s"


def print_validations(supernet: Supernet, split: str, precision: str, count: float, *, disk_mib: float = 0.0) -> None:
    """Print what `count` validations would cost, by validating the smallest and the largest network now."""
    from ...supernets.evaluation.evaluate import seconds_of_ends

    smallest_s, largest_s = seconds_of_ends(supernet, split, precision=precision)
    print_line(
        f"each     {span(smallest_s)} for the smallest network and {span(largest_s)} for the largest, as just measured "
        f"on {supernet.size(split):,} examples"
    )
    low_s, high_s = sorted((smallest_s, largest_s))
    print_cost(count * low_s, count * high_s, disk_mib, because=f"{count:g} validations, one after the other")


def validation_s(run: Run) -> float:
    """Return the mean seconds of the full validations of a run; 0 without any."""
    full: Sequence[float] = [one.seconds for one in run.evaluations if one.is_full]
    return sum(full) / len(full) if full else 0.0


def print_again(run: Run, count: int, timed: int, *, disk_mib: float = 0.0) -> None:
    """Print what `count` more validations of a run cost, at the pace of its own, and timing `timed` models."""
    from ...lut.measuring.measure import FURTHER_S, POLICY

    validating_s = count * validation_s(run)
    timing_s = POLICY.time_cap_s + FURTHER_S * (timed - 1) if timed else 0.0
    parts = [f"{count} validations at the {validation_s(run):.2g} s that the run's took"]
    parts += [f"timing {timed} {'models' if timed > 1 else 'model'}, and no wait for this device"] if timed else []
    print_cost(validating_s, validating_s + timing_s, disk_mib, because=", then ".join(parts))


def print_models(estimate: BundleEstimate) -> None:
    """Print how much there is to carry and to measure."""
    least, most = estimate.minutes
    models = f"{estimate.layers} layers and {estimate.networks} whole networks"
    print(f"models   {models}, about {estimate.size_mib:.0f} MiB")
    print(f"time     {least:.1f} to {most:.0f} minutes of measuring, by the device's speed")
