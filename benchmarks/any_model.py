"""Can the latency of any ONNX model be composed from kernels, and how does that compare with what people do today?

    python benchmarks/any_model.py --backend onnxruntime --out onnxruntime.kernels.jsonl [--clock cpu] [--networks 33]

One run measures the kernels of the designed sample and the sample's networks whole, and, interleaved with them, the
kernels of the test bed (`any_model_bed.py`) and its models whole. Then each model of the test bed is predicted

- with all its kernels measured, as `predict --measure` has them;
- from the sample alone: kernels that only the test bed has are predicted;

and by the rivals, fitted to the sample's networks: a line in the multiply-adds, a roofline (per kernel the larger of
multiply-adds and bytes, over rates, and a time a kernel), and the sum of the runtime's own per-operator profile, which
needs no fit. With --clock cpu a block takes the processor time of its process (`cpu_clock.py`): for a machine that
others compute on, where wall time says how long those ran. A finished --out is read again, not measured.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
from any_model_bed import test_bed
from cpu_clock import CpuClockDevice
from environment import print_environment

from gnomon.lut.kernels.composition import Composition
from gnomon.lut.kernels.measuring.build import KernelRequest, build_kernel_profile
from gnomon.lut.kernels.profile_file.profile import KernelProfile, MeasuredModel, load_kernel_profile
from gnomon.lut.kernels.regression import KernelRegression
from gnomon.lut.kernels.terms import Part, sum_us
from gnomon.lut.latency_model.verification import noise_floor_percent, share_within, spearman
from gnomon.profilers.errors import ProfilerError
from gnomon.profilers.run_config import RunConfig
from gnomon.profilers.runtimes.operators import measure_operators
from gnomon.profilers.timing.protocol import TimingPolicy

Predictor = Callable[[KernelProfile, MeasuredModel], float]

BED = "bed:"


@dataclass(frozen=True)
class Row:
    """One model of the test bed: its latency, and what each way says; in microseconds."""

    name: str
    true_us: float
    said_us: Mapping[str, float]
    covered: Mapping[str, bool]
    predicted_share: float


def main() -> None:
    """Measure or read, then compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", default="onnxruntime")
    parser.add_argument("--out", type=Path, required=True, help="kernel profile to measure, or to read if it is there")
    parser.add_argument("--networks", type=int, default=33, help="networks of the sample")
    parser.add_argument("--seconds", type=float, default=600.0, help="no further visits after this")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--largest-mib", type=float, default=120.0, help="larger models are left out")
    parser.add_argument("--no-operators", action="store_true", help="do not run the runtime's own profiler")
    arguments = parser.parse_args()
    print_environment()
    models, left_out = test_bed(arguments.largest_mib)
    if not arguments.out.exists():
        measure(arguments, models)
    profile = load_kernel_profile(arguments.out)
    print(f"{arguments.backend} {profile.runtime}, 1 thread, {arguments.clock} clock, {profile.header.seconds:.0f} s")
    lost = [name for name in models if BED + name not in {model.name for model in profile.models}]
    print(f"left out: {', '.join(left_out) or 'none'}; not composed: {', '.join(lost) or 'none'}")
    operators = {} if arguments.no_operators else operator_sums(models, arguments.backend)
    compare(profile, operators)


def measure(arguments: argparse.Namespace, models: Mapping[str, bytes]) -> None:
    """Measure sample and test bed in one run."""
    policy = TimingPolicy(min_passes=4, clean_blocks=16, processes=2, time_cap_s=arguments.seconds)
    if arguments.clock == "cpu":
        policy = replace(policy, clean_blocks=0, max_passes=5)
    request = KernelRequest(
        arguments.backend,
        networks=arguments.networks,
        policy=policy,
        further={BED + name: model for name, model in models.items()},
    )
    build_kernel_profile(request, arguments.out, device=CpuClockDevice() if arguments.clock == "cpu" else None)


def operator_sums(models: Mapping[str, bytes], backend: str) -> dict[str, float]:
    """Return the sum of the runtime's own times by operator, in microseconds of wall time."""
    found = {}
    for name, model in models.items():
        try:
            profiled = measure_operators(model, backend=backend, config=RunConfig(), loops=5)
        except ProfilerError as error:
            print(f"no operators of {name}: {str(error)[:100]}")
            continue
        found[BED + name] = sum(one.value_us for one in profiled.operators)
    return found


def compare(profile: KernelProfile, operators: Mapping[str, float]) -> None:
    """Predict the test bed in all ways, and print each model and the summary."""
    sample = sample_of(profile)
    composition = Composition(sample, KernelRegression(sample))
    line, roof = fitted_line(sample), fitted_roofline(sample)
    rows = []
    for model in profile.models:
        if not model.name.startswith(BED):
            continue
        measured, measured_ratio, _ = composed(profile, model, composition, frozenset(profile.kernels))
        alone, alone_ratio, share = composed(profile, model, composition, frozenset(sample.kernels))
        true_us = model.measurement.value_us
        said = {"kernels measured": measured, "sample alone": alone, "plain sum": plain_sum(profile, model)}
        said |= {"line in MACs": line(profile, model), "roofline": roof(profile, model)}
        if model.name in operators:
            said["operator profile"] = operators[model.name]
        covered = {
            "kernels measured": abs(np.log(true_us / measured)) <= measured_ratio,
            "sample alone": abs(np.log(true_us / alone)) <= alone_ratio,
        }
        rows.append(Row(model.name.removeprefix(BED), true_us, said, covered, share))
    show(rows, profile, sample, composition)


def sample_of(profile: KernelProfile) -> KernelProfile:
    """Return the profile that the sample alone would have made."""
    models = tuple(model for model in profile.models if not model.name.startswith(BED))
    own = {digest for model in models for digest in model.calls}
    bed = {digest for model in profile.models for digest in model.calls} - own
    return replace(profile, models=models, kernels={d: k for d, k in profile.kernels.items() if d not in bed})


def composed(
    profile: KernelProfile, model: MeasuredModel, composition: Composition, known: frozenset[str]
) -> tuple[float, float, float]:
    """Return a model's latency by composition, the log ratio of its interval, and the share that is predicted."""
    parts, doubts, predicted_us = [], [], 0.0
    for digest, count in model.calls.items():
        one = profile.kernels[digest]
        value_us, ratio = one.value_us, 0.0
        if digest not in known:
            guess = composition.regression.predict(one.operator, one.key, one.cost)
            value_us, ratio = guess.value_us, guess.log_ratio
            predicted_us += value_us * count
        parts.append(Part.of(value_us, count, one.cost))
        doubts.append(ratio)
    value_us = composition.terms.value_us(parts, profile.call_us)
    return value_us, composition.log_ratio(parts, doubts), predicted_us / sum_us(parts)


def plain_sum(profile: KernelProfile, model: MeasuredModel) -> float:
    """Return the sum of the kernels, all measured."""
    return profile.call_us + sum(profile.kernels[digest].value_us * count for digest, count in model.calls.items())


def macs(profile: KernelProfile, model: MeasuredModel) -> float:
    """Return a model's multiply-adds."""
    return sum(profile.kernels[digest].cost.macs * count for digest, count in model.calls.items())


def fitted_line(sample: KernelProfile) -> Predictor:
    """Fit latency = a + b x multiply-adds to the sample's networks, by relative error."""
    true = np.array([model.measurement.value_us for model in sample.models])
    columns = np.array([[1.0, macs(sample, model)] for model in sample.models]) / true[:, None]
    solved = np.linalg.lstsq(columns, np.ones(len(true)), rcond=None)[0]
    return lambda profile, model: float(solved @ [1.0, macs(profile, model)])


def fitted_roofline(sample: KernelProfile) -> Predictor:
    """Fit multiply-adds and bytes a microsecond, and a time a kernel, to the sample's networks, on a grid."""

    def roof_us(profile: KernelProfile, model: MeasuredModel, rates: tuple[float, float, float]) -> float:
        per_us, bytes_per_us, call_us = rates
        costs = [(profile.kernels[digest].cost, count) for digest, count in model.calls.items()]
        return sum(count * (max(c.macs / per_us, c.moved_bytes / bytes_per_us) + call_us) for c, count in costs)

    true = np.array([model.measurement.value_us for model in sample.models])
    grid = product(np.geomspace(5e3, 2e5, 16), np.geomspace(5e2, 5e4, 16), (0.0, 0.5, 1.0, 2.0, 5.0))
    best = min(
        grid,
        key=lambda rates: float(
            np.mean(np.abs(np.log([roof_us(sample, model, rates) for model in sample.models] / true)))
        ),
    )
    return lambda profile, model: roof_us(profile, model, best)


def show(rows: list[Row], profile: KernelProfile, sample: KernelProfile, composition: Composition) -> None:
    """Print every model and the summary of every way."""
    ways = list(max((row.said_us for row in rows), key=len))
    print(f"\n{'model':44s} {'ms':>8s} " + " ".join(f"{way:>17s}" for way in ways) + "  predicted")
    for row in sorted(rows, key=lambda row: row.true_us):
        errors = [
            f"{100 * (row.said_us[way] / row.true_us - 1):+16.1f}%" if way in row.said_us else " " * 17 for way in ways
        ]
        print(f"{row.name:44s} {row.true_us / 1e3:8.2f} {' '.join(errors)}  {row.predicted_share:8.0%}")
    print(
        f"\n{'way':20s} {'n':>3s} {'MAPE':>7s} {'median':>7s} {'<5 %':>6s} {'<10 %':>6s} "
        f"{'Spearman':>9s} {'in 90 %':>8s}"
    )
    for way in ways:
        told = [row for row in rows if way in row.said_us]
        said, true = (np.array(values) for values in zip(*((row.said_us[way], row.true_us) for row in told)))
        percent = 100 * (said - true) / true
        inside = [row.covered[way] for row in told if way in row.covered]
        print(
            f"{way:20s} {len(told):3d} {np.mean(np.abs(percent)):6.1f}% {np.median(np.abs(percent)):6.1f}% "
            f"{share_within(percent, 5):5.0f}% {share_within(percent, 10):5.0f}% {spearman(said, true) or 0:9.3f} "
            + (f"{100 * np.mean(inside):7.0f}%" if inside else "")
        )
    bed = [model.measurement for model in profile.models if model.name.startswith(BED)]
    print(
        f"\n{len(profile.kernels)} kernels, {len(sample.kernels)} of them of the sample's {len(sample.models)} networks"
    )
    noise = noise_floor_percent(bed)
    print(f"repeat noise of the test bed's latencies {'unknown' if noise is None else f'{noise:.1f} %'}")
    print(f"terms: {composition.terms.sentence()}; the sample's own: {composition.report.sentence()}")


if __name__ == "__main__":
    main()
