"""`gnomon evaluate`: how good given sub-networks are, with the super-network's weights."""

from __future__ import annotations

from typing import Annotated

import typer

from ..options.command_file import with_config
from ..options.common import AsJson, DryRun
from ..options.examples import Examples, share_of_deciding
from ..options.space import Architectures, ArchitectureSeed, SpaceArgument, SpaceOption, required_space
from ..options.weights import Checkpoint, Data
from ..printing.estimate import print_validations
from ..printing.progress import say
from ..printing.table import print_json, print_table


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    @with_config
    def evaluate(
        space: SpaceArgument = None,
        space_option: SpaceOption = None,
        arch: Architectures = None,
        checkpoint: Checkpoint = None,
        data: Data = None,
        split: Annotated[str, typer.Option(help="test, or validation: what a search sees.")] = "test",
        precision: Annotated[str, typer.Option(help="Precision that they are run in.")] = "fp32",
        examples: Examples = "all",
        seed: ArchitectureSeed = 0,
        dry_run: DryRun = False,
        as_json: AsJson = False,
    ) -> None:
        """Evaluate sub-networks: the metric of their task (and top-5 among many classes), MACs and parameters."""
        from ...supernets.evaluation.agreement import check_kernels
        from ...supernets.evaluation.chance import CountsClasses, chance_said
        from ...supernets.evaluation.evaluate import evaluate as evaluated
        from ...supernets.evaluation.evaluate import evaluate_on_deciding, require_outcomes
        from ...supernets.precision import is_calibrated
        from ...supernets.registry import load_space
        from ...supernets.space.parse import architectures_from_text
        from ...supernets.supernet import load_supernet

        share = share_of_deciding(examples)
        named = required_space(space, space_option, example="gnomon evaluate fashion_mnist")
        asked = [
            architecture
            for text in arch or ["largest"]
            for architecture in architectures_from_text(load_space(named), text, seed=seed)
        ]
        supernet = load_supernet(named, checkpoint=checkpoint, data=data)
        number = supernet.size(split)
        if share is not None:
            require_outcomes(supernet)
        calibrated = is_calibrated(precision)
        if calibrated:
            say(check_kernels(supernet, split).sentence())
        if dry_run:
            print_validations(supernet, split, precision, 2 + share * len(asked) if share is not None else len(asked))
            return
        rows, values = [], []
        if share is None:
            results = evaluated(supernet, asked, split, precision=precision)
        else:
            results = evaluate_on_deciding(supernet, asked, split, share, precision=precision)
        for found in results:
            indices = ",".join(map(str, found.architecture.indices))
            values.append(found.metrics[supernet.metric.name])
            rows.append({"id": found.architecture.id, **found.metrics, "macs": found.macs, "params": found.params})
            say(f"{len(rows)}/{len(asked)}  {found.architecture.id} = {indices}")
        known = supernet.class_counts(split) if isinstance(supernet, CountsClasses) else None
        if known is not None and (note := chance_said(values, known)):
            say(note)
        if as_json:
            described = [{**row, "indices": one.indices} for row, one in zip(rows, asked)]
            print_json(
                {
                    "space": supernet.space.name,
                    "checkpoint_sha256": supernet.checkpoint_sha256,
                    "split": split,
                    "precision": precision,
                    "weight_bits": supernet.weight_bits if calibrated else None,
                    "examples": number,
                    "deciding_share": share,
                    "metric": supernet.metric.name,
                    "unit": supernet.metric.unit,
                    "signature": supernet.metric.signature,
                    "architectures": described,
                }
            )
            return
        part = "" if share is None else f"estimated from the {100 * share:g} % that decide most "
        print_table(list(rows[0]), [list(row.values()) for row in rows])
        print(
            f"{supernet.metric.said}, {part}on the {number:,} examples of the {split} split, run in {precision}"
            + (f" with weights in {supernet.weight_bits} bits" if calibrated else "")
        )
        if supernet.metric.signature:
            print(f"signature: {supernet.metric.signature}")
