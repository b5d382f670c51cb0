"""`gnomon predict`: latencies of architectures from a profile."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..options.common import AsJson
from ..options.device import Device, Verbose, connected
from ..options.onnx_file import Model, Shapes
from ..options.profiles import ProfileName
from ..options.space import Architectures, ArchitectureSeed, named_space
from ..printing.explanation import difference_json, explanation_json, print_difference, print_explanation
from ..printing.model_prediction import print_prediction, write_node_data, write_nodes
from ..printing.operators import operators_json, print_operators
from ..printing.progress import progress, say, worker_progress
from ..printing.table import print_json, print_table

if TYPE_CHECKING:
    from ...lut import LatencyModel
    from ...supernets import Architecture

COLUMNS = ("id", "latency_us", "low_us", "high_us", "source", "macs", "params")


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def predict(
        profile: ProfileName,
        space: Annotated[str | None, typer.Argument(metavar="[SPACE]", help="As --space.")] = None,
        arch: Architectures = None,
        space_option: Annotated[
            str | None,
            typer.Option(
                "--space",
                metavar="SPACE",
                help="Predict this space, never profiled itself, from the profile (and those of --with).",
            ),
        ] = None,
        relatives: Annotated[
            list[str] | None, typer.Option("--with", help="A further profile to predict --space from. May be repeated.")
        ] = None,
        seed: ArchitectureSeed = 0,
        explain: Annotated[bool, typer.Option("--explain", help="Also break each latency into its layers.")] = False,
        operators: Annotated[
            bool,
            typer.Option(
                "--operators", help="Also time and profile each on this device, the profile's; implies --explain."
            ),
        ] = False,
        model_file: Model = None,
        shape: Shapes = None,
        measure: Annotated[
            bool, typer.Option("--measure", help="With --model: time the kernels that the profile lacks now.")
        ] = False,
        node_data: Annotated[
            Path | None, typer.Option(help="With --model: write times by node, for Model Explorer, to this JSON file.")
        ] = None,
        csv: Annotated[Path | None, typer.Option(help="With --model: write times by kernel to this CSV file.")] = None,
        device: Device = "local",
        verbose: Verbose = False,
        as_json: AsJson = False,
    ) -> None:
        """Predict latencies with their 90 % interval; the verified error is printed beside them."""
        if model_file is not None:
            if space or space_option or arch or relatives or operators:
                raise typer.BadParameter("--model is one ONNX file; it goes with --shape, --measure and --explain only")
            from ...api import predict_model
            from ...lut.kernels.graph.asked import shapes_from_text

            with connected(device, verbose=verbose) as there, progress("timing kernels") as shown:
                prediction = predict_model(
                    profile,
                    model_file,
                    shapes=shapes_from_text(tuple(shape or ())),
                    measure=measure,
                    device=there,
                    on_progress=worker_progress(shown),
                )
            print_prediction(prediction, explain=explain, as_json=as_json)
            if node_data is not None:
                say(f"written  {write_node_data(prediction, node_data)}")
            if csv is not None:
                say(f"written  {write_nodes(prediction, csv)}")
            return
        if shape or measure or node_data or csv or device != "local":
            raise typer.BadParameter("--shape, --measure, --node-data, --csv and --device go with --model FILE.onnx")
        from ...lut import explain as explained
        from ...lut import explain_operators, load_profile, model_for_space
        from ...supernets.space.parse import architectures_from_text

        loaded = load_profile(profile)
        space = named_space(space, space_option, default=None)
        if space is None and relatives:
            raise typer.BadParameter("--with names relatives to predict another space from; name it by --space")
        if space is not None and (explain or operators):
            raise typer.BadParameter("--explain and --operators need a profile of the space itself, not --space")
        others = [load_profile(other) for other in relatives or []]
        model = loaded.latency if space is None else model_for_space([loaded, *others], space)
        asked = [
            architecture
            for text in arch or ["smallest", "largest", "random:3"]
            for architecture in architectures_from_text(model.space, text, seed=seed)
        ]
        rows = predictions(model, asked)
        explanations = [explained(loaded, architecture) for architecture in asked] if explain or operators else []
        reports = []
        for architecture in asked if operators else []:
            say(f"timing {architecture.id} without and with the profiler of {loaded.header.backend}")
            reports.append(explain_operators(loaded, architecture))
        pair = explanations if len(explanations) == 2 else []
        if as_json:
            found: list[dict[str, object]] = [
                {**dict(zip(COLUMNS, row)), "indices": architecture.indices} for row, architecture in zip(rows, asked)
            ]
            for described, explanation in zip(found, explanations):
                described["explanation"] = explanation_json(explanation)
            for described, report in zip(found, reports):
                described["operators"] = operators_json(report)
            difference = {"difference": difference_json(*pair)} if pair else {}
            print_json({"architectures": found, "verified": model.report.model_dump(), **difference})
            return
        if not explanations:
            print_table(COLUMNS, rows)
        for position, explanation in enumerate(explanations):
            print_explanation(loaded, explanation)
            for report in reports[position : position + 1]:
                print_operators(loaded, report)
            print()
        if pair:
            print_difference(loaded.space, *pair)
        print(f"verified  {model.report.sentence()}; quality {loaded.quality}")
        if space is not None:
            print(f"verified on the networks of the {1 + len(others)} profile(s), not on {model.space.name} itself")


def predictions(model: LatencyModel, asked: Sequence[Architecture]) -> list[tuple[str | float | int | None, ...]]:
    """Return a row of `COLUMNS` for each architecture; no interval where nothing verified the model."""
    indices = [architecture.indices for architecture in asked]
    estimate = model.predict(indices)
    macs, params = model.space.macs(indices), model.space.params(indices)
    is_verified = estimate.log_ratio is not None
    return [
        (
            architecture.id,
            float(estimate.value_us[i]),
            float(estimate.low_us[i]) if is_verified else None,
            float(estimate.high_us[i]) if is_verified else None,
            str(estimate.source[i]),
            int(macs[i]),
            int(params[i]),
        )
        for i, architecture in enumerate(asked)
    ]
