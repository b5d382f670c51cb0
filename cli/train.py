"""`gnomon train`: make a super-network's weights with our recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .output import Force, progress


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def train(
        space: Annotated[str, typer.Argument(help="Search space, e.g. fashion_mnist.")],
        data: Annotated[Path, typer.Option(help="Folder of the full data set.")],
        out: Annotated[Path, typer.Option(help="The .safetensors file to write.")],
        epochs: Annotated[
            int | None, typer.Option(help="Train one phase this long; default: the recipe.", min=1)
        ] = None,
        seed: Annotated[int | None, typer.Option(help="Default: the recipe's.", min=0)] = None,
        force: Force = False,
    ) -> None:
        """Train a super-network; an interrupted run goes on from its last epoch."""
        from dataclasses import replace

        from ..supernets.training.recipes import train_to_file
        from ..supernets.training.trainer import Epoch, Recipe

        recipe = Recipe()
        if epochs is not None:
            recipe = replace(recipe, phases=(replace(recipe.phases[0], epochs=epochs),))
        if seed is not None:
            recipe = replace(recipe, seed=seed)
        with progress(f"train {space}") as report:

            def show(point: Epoch) -> None:
                done = point.epoch + 1
                eta_s = point.seconds / done * (recipe.epochs - done)
                largest, smallest = point.largest_top1_percent, point.smallest_top1_percent
                report(done, recipe.epochs, eta_s, f"top-1 {largest:.2f} % largest, {smallest:.2f} % smallest")

            train_to_file(space, data, out, recipe=recipe, force=force, on_epoch=show)
        print(out)
