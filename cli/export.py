"""`gnomon export`: ship a sub-network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .completion import profile_names
from .output import AsJson, Force, print_json, say
from .pareto import PICK_HELP, RunFolder
from .search import Checkpoint, Data

if TYPE_CHECKING:
    from ..search.export.export import ExportedMetric, ExportedModel


def print_export(exported: ExportedModel) -> None:
    """Print what was exported and how it was checked."""
    models = [file for file in exported.files if file.runs]
    named = [f"{exported.folder / file.name}" + (f" ({file.runs} runs)" if file.runs > 1 else "") for file in models]
    print(f"exported {', '.join(named)}: sub-network {exported.architecture.id}, {exported.precision}")
    if len(exported.files) > len(models):
        print(f"beside   {', '.join(file.name for file in exported.files if not file.runs)}")
    truth = "torch's" if exported.precision == "fp32" else f"{exported.metric.runtime}'s"
    for parity in exported.parities:
        print(f"parity   {parity.backend} {parity.version}: outputs within {parity.max_difference:.1e} of {truth}")
    print(metric_line(exported.metric))
    latency = exported.latency
    if latency is None:
        print("latency  not predicted: no --profile was given")
        return
    print(f"latency  predicted {latency.predicted_us:.1f} us, 90 % in {latency.low_us:.1f} to {latency.high_us:.1f} us")
    print(f"         verified: {latency.verified}")
    if latency.measured_us is None:
        print(f"         not measured: {latency.not_measured}")
        return
    print(
        f"         measured  {latency.measured_us:.1f} us (IQR {100 * (latency.relative_iqr or 0):.1f} %); the anchor "
        f"layer takes {latency.anchor_ratio:.2f} x its time in the profile,"
    )
    print(f"         so {latency.expected_us:.1f} us were expected: error {latency.error_percent:+.1f} %")


def metric_line(metric: ExportedMetric) -> str:
    """Say the metric of both, as `accuracy 92.76 % in onnxruntime, ...` or `BLEU     31.20 in onnxruntime, ...`."""
    is_own_unit = metric.unit.lower() == metric.name
    unit = "" if is_own_unit else " %" if metric.unit == "percent" else f" {metric.unit}"
    return (
        f"{metric.unit if is_own_unit else metric.name:<8} {metric.runtime_value:.2f}{unit} in {metric.runtime}, "
        f"{metric.torch_value:.2f}{unit} in torch, on {metric.examples} test {metric.noun}"
    )


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def export(
        run: RunFolder,
        out: Annotated[Path, typer.Option(help="Folder to write: the model and model.json.")],
        pick: Annotated[str, typer.Option(help=PICK_HELP)] = "knee",
        profile: Annotated[
            list[str] | None,
            typer.Option(
                help="Profile to predict with and to time under; several as searched with.",
                autocompletion=profile_names,
            ),
        ] = None,
        precision: Annotated[str | None, typer.Option(help="Precision of the model; default: the run's.")] = None,
        checkpoint: Checkpoint = None,
        data: Data = None,
        no_timing: Annotated[
            bool, typer.Option("--no-timing", help="Predict alone: do not wait for this device, nor time on it.")
        ] = False,
        as_json: AsJson = False,
        force: Force = False,
    ) -> None:
        """Export a sub-network of a run's front to ONNX, checked in every installed runtime and timed."""
        from dataclasses import asdict

        from ..api import export as export_run
        from ..api import load_run
        from .named_profiles import load_profiles

        exported = export_run(
            load_run(run),
            pick,
            out,
            profile=load_profiles(profile or ()),
            precision=precision,
            checkpoint=checkpoint,
            data=data,
            timing=not no_timing,
            force=force,
            on_step=say,
        )
        if as_json:
            print_json(asdict(exported))
        else:
            print_export(exported)
