"""Do the intervals of few whole models hold for others, with all kernels measured, and is the stated error true?

    python benchmarks/kernel_intervals.py laptop.kernels.jsonl [...] [--draws 20]

Of each kernel profile, whole models are drawn at random, the terms are chosen by them, and the rest is predicted.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
from environment import print_environment

from gnomon.lut.kernels.composition import Composition
from gnomon.lut.kernels.profile_file.profile import KernelProfile, load_kernel_profile
from gnomon.lut.kernels.regression import KernelRegression
from gnomon.lut.latency_model.verification import mape_percent

FITTED = (10, 20, 33)
LEAST_TESTED = 8


def main() -> None:
    """Print a line a profile and number of models."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("profiles", type=Path, nargs="+")
    parser.add_argument("--draws", type=int, default=20)
    arguments = parser.parse_args()
    print_environment()
    print(f"{'profile':40s}{'fitted':>7s}{'tested':>7s}{'said %':>8s}{'MAPE %':>8s}{'inside %':>16s}")
    for path in arguments.profiles:
        profile = load_kernel_profile(path)
        for count in FITTED:
            rest = len(profile.models) - count
            if rest < LEAST_TESTED:
                continue
            rng = np.random.default_rng(count)
            drawn = np.array([figures(profile, rng.permutation(count + rest), count) for _ in range(arguments.draws)])
            said, true, inside = drawn.mean(axis=0)
            error = drawn[:, 2].std() / math.sqrt(len(drawn))
            print(
                f"{path.name[:40]:40s}{count:7d}{rest:7d}{said:8.1f}{true:8.1f}{inside:9.1f} +- {error:3.1f}",
                flush=True,
            )


def figures(profile: KernelProfile, order: np.ndarray, count: int) -> tuple[float, float, float]:
    """Choose by the first models of an order; return the error that is stated, the others', and how many are inside."""
    known, others = (tuple(profile.models[at] for at in part) for part in (order[:count], order[count:]))
    kept = replace(profile, models=known)
    composition = Composition(kept, KernelRegression(kept))
    truth = np.array([model.measurement.value_us for model in others])
    parts = [composition.parts_of(model.calls, {}) for model in others]
    said = np.array([composition.terms.value_us(one, profile.call_us) for one in parts])
    ratios = np.array([composition.log_ratio(one, [0.0] * len(one)) for one in parts])
    inside = np.abs(np.log(truth / said)) <= ratios
    return composition.report.mape_percent or math.nan, mape_percent(said, truth), 100 * float(np.mean(inside))


if __name__ == "__main__":
    main()
