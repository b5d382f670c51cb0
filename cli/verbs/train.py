"""`gnomon train`: make a super-network's weights with our recipe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ..options.command_file import with_config
from ..options.common import DryRun, Force
from ..options.space import SpaceArgument, SpaceOption, required_space
from ..printing.estimate import print_training
from ..printing.progress import progress, say


def weights_mib(space: str) -> float:
    """Return how large the file of weights becomes, as that of the largest sub-network does."""
    from ...supernets import load_space

    loaded = load_space(space)
    return 4 * float(loaded.params([tuple(loaded.radices - 1)])[0]) / 2**20


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    @with_config
    def train(
        space: SpaceArgument = None,
        space_option: SpaceOption = None,
        data: Annotated[
            Path | None, typer.Option(help="Folder of the full data set; default: what `gnomon data prepare` got.")
        ] = None,
        out: Annotated[
            Path | None, typer.Option(help="The .safetensors file to write; default: the cache, where it is found.")
        ] = None,
        parent: Annotated[
            Path | None, typer.Option("--from", help="Weights to start from: the space's own, or its parent's.")
        ] = None,
        epochs: Annotated[
            int | None, typer.Option(help="Train one phase this long; default: the recipe.", min=1)
        ] = None,
        batch: Annotated[int | None, typer.Option(help="Inputs a step; default: the recipe's.", min=2)] = None,
        seed: Annotated[int | None, typer.Option(help="Default: the recipe's.", min=0)] = None,
        augmentation: Annotated[
            str | None,
            typer.Option(help="none, or some of mirror, shift=2, erase=6, joined by commas; default: the recipe's."),
        ] = None,
        largest_only: Annotated[
            bool,
            typer.Option("--largest-only", help="Train the largest sub-network alone, to compare with; needs --out."),
        ] = False,
        dry_run: DryRun = False,
        force: Force = False,
    ) -> None:
        """Train a super-network; an interrupted run goes on where it was, at most two minutes back."""
        from dataclasses import replace

        from ...supernets.training.checkpoint import Epoch
        from ...supernets.training.estimate import estimate_training
        from ...supernets.training.recipes import load_recipe
        from ...supernets.training.to_file import TrainingRequest, largest_alone, shortened, train_to_file
        from ...supernets.training.trainer import Progress

        named = required_space(space, space_option, example="gnomon train fashion_mnist")
        recipe = load_recipe(named).recipe()
        if epochs is not None:
            recipe = shortened(recipe, epochs)
        if largest_only:
            if out is None:
                raise typer.BadParameter("weights of the largest alone are no super-network; say --out FILE")
            recipe = largest_alone(recipe)
        recipe = replace(recipe, batch=batch or recipe.batch, seed=recipe.seed if seed is None else seed)
        request = TrainingRequest(named, data, out, parent, recipe, force, augmentation)
        if dry_run:
            print_training(estimate_training(request), weights_mib(named))
            return
        with progress(f"train {named}") as report:
            note = ["largest and smallest are judged after each epoch"]

            def judged(point: Epoch) -> None:
                note[0] = f"epoch {point.epoch + 1}: {point.largest:.2f} largest, {point.smallest:.2f} smallest"

            def step(now: Progress) -> None:
                report(now.done, now.total, now.eta_s, f"loss {now.loss:.3f}; {note[0]}")

            written = train_to_file(request, on_epoch=judged, on_step=step)
        record = json.loads(written.with_suffix(".json").read_text(encoding="utf-8"))
        largest, smallest = record["result"]["largest"], record["result"]["smallest"]
        say(f"{record['metric']} on held-out data: {largest:.2f} largest, {smallest:.2f} smallest; the weights are in")
        print(written)
