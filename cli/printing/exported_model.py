"""How `gnomon export` prints: the files, their checks, and their latency."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .line import print_line

if TYPE_CHECKING:
    from ...search.export.checks import SeenStart, WithPauses
    from ...search.export.export import ExportedMetric, ExportedModel
    from ...search.export.kernels import ExportedKernels


def print_export(exported: ExportedModel) -> None:
    """Print what was exported and how it was checked."""
    models = [file for file in exported.files if file.runs]
    named = [f"{exported.folder / file.name}" + (f" ({file.runs} runs)" if file.runs > 1 else "") for file in models]
    print_line(f"exported {', '.join(named)}: sub-network {exported.architecture.id}, {exported.precision}")
    if len(exported.files) > len(models):
        print_line(f"beside   {', '.join(file.name for file in exported.files if not file.runs)}")
    truth = "torch's" if exported.precision == "fp32" else f"{exported.metric.runtime}'s"
    for parity in exported.parities:
        print_line(f"parity   {parity.backend} {parity.version}: outputs within {parity.max_difference:.1e} of {truth}")
    print_line(metric_line(exported.metric))
    print_kernels(exported.consists_of)
    latency = exported.latency
    if latency is None:
        print("latency  not predicted: no --profile was given")
        return
    interval = f"90 % in {latency.low_us:.1f} to {latency.high_us:.1f} us"
    print_line(f"latency  predicted {latency.predicted_us:.1f} us, {interval}")
    print_line(f"         verified: {latency.verified}")
    if latency.measured_us is None:
        print_line(f"         not measured: {latency.not_measured}")
        return
    print_line(
        f"         measured  {latency.measured_us:.1f} us (IQR {100 * (latency.relative_iqr or 0):.1f} %); the anchor "
        f"layer takes {latency.anchor_ratio:.2f} x its time in the profile,"
    )
    print_line(f"         so {latency.expected_us:.1f} us were expected: error {latency.error_percent:+.1f} %")
    print_start(latency.start)
    print_pauses(latency.with_pauses)


def print_kernels(found: ExportedKernels | None) -> None:
    """Print what the network consists of, the commonest operators first, where that was asked for."""
    if found is None:
        return
    if found.not_told is not None:
        print_line(f"kernels  not told: {found.not_told}")
        return
    times: dict[str, int] = {}
    for one in found.kernels:
        times[one.operator] = times.get(one.operator, 0) + one.times
    listed = ", ".join(f"{times[name]} {name}" for name in sorted(times, key=lambda name: (-times[name], name)))
    print_line(f"kernels  {sum(times.values())} in {found.runtime}, of {len(found.kernels)} kinds: {listed}")
    for what, count in found.excluded.items():
        print_line(f"         and {what}: {count} times")


def print_start(start: SeenStart | None) -> None:
    """Print how the model starts, where that is known."""
    if start is not None:
        print_line(
            f"start    loads in {start.load_ms:.1f} ms, first inference {start.first_us:.1f} us (medians of "
            f"{start.loads} fresh loads, the runtime loaded before)"
        )


def print_pauses(paced: WithPauses | None) -> None:
    """Print the latency with pauses, where it was asked for, and what that is of the hot loop's."""
    if paced is None:
        return
    disturbed = "" if paced.undisturbed else "; too few of them were undisturbed, so it is a corrected one"
    print_line(
        f"pauses   one inference every {paced.period_ms:g} ms: {paced.latency_us:.1f} us "
        f"(IQR {100 * paced.relative_iqr:.1f} %){disturbed}"
    )
    factor = paced.factor
    print_line(f"         x {factor.ratio:.3f} of the hot loop's (95 % in {factor.low:.3f} to {factor.high:.3f})")
    if paced.late_share > 0.5:
        print_line("         an inference takes longer than the period, so most of them had no pause")


def metric_line(metric: ExportedMetric) -> str:
    """Return the metric of both, as `accuracy 92.76 % in onnxruntime, ...` or `BLEU     31.20 in onnxruntime, ...`."""
    is_own_unit = metric.unit.lower() == metric.name
    unit = "" if is_own_unit else " %" if metric.unit == "percent" else f" {metric.unit}"
    return (
        f"{metric.unit if is_own_unit else metric.name:<8} {metric.runtime_value:.2f}{unit} in {metric.runtime}, "
        f"{metric.torch_value:.2f}{unit} in torch, on {metric.examples} test {metric.noun}"
    )
