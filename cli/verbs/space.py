"""`gnomon space`: for authors of a super-network."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..groups import group_of_commands
from ..options.space import SpaceOption, required_space

if TYPE_CHECKING:
    from ...supernets import SearchSpace


def register(app: typer.Typer) -> None:
    """Add the verb."""
    space = group_of_commands(app, "space", "Check a super-network of your own.")

    @space.command()
    def check(
        space: Annotated[
            str | None,
            typer.Argument(metavar="[SPACE]", help="MODULE:CLASS in this folder or installed, or a registered name."),
        ] = None,
        space_option: SpaceOption = None,
    ) -> None:
        """Check that a space keeps what Gnomon relies on, and that sub-networks run and export; exit 2 if not."""
        from ...supernets.own_networks.check import check_space
        from ...supernets.space.counting import distinct_networks

        loaded = space_from(required_space(space, space_option, example="gnomon space check my_net:MyNet"))
        ends = [[0] * len(loaded.choices), list(loaded.radices - 1)]
        small, large = loaded.macs(ends) / 1e6
        print(f"{loaded.name}: {len(loaded.choices)} genes, {float(loaded.size):.3g} settings, ", end="")
        print(f"{distinct_networks(loaded)} different networks, ", end="")
        print(f"{len(loaded.unique_layers())} layers, {small:.3g} to {large:.3g} million MACs")
        failed = 0
        for outcome in check_space(loaded, run_onnx):
            failed += outcome.problem is not None
            print(f"{'ok  ' if outcome.problem is None else 'FAIL'}  {outcome.sentence}", flush=True)
            if outcome.problem is not None:
                print(f"      {outcome.problem}", flush=True)
        if failed:
            print(f"{failed} of the checks failed", file=sys.stderr)
            raise typer.Exit(2)


def space_from(name: str) -> SearchSpace:
    """Return the space of MODULE:CLASS, which may be a class or function in the current folder, or of a name."""
    from ...supernets import SupernetError, load_space
    from ...supernets.registry import space_of

    module, separator, rest = name.partition(":")
    if not separator or "=" in rest:
        return load_space(name)
    sys.path.insert(0, str(Path.cwd()))
    try:
        found: Any = importlib.import_module(module)
        for part in rest.split("."):
            found = getattr(found, part)
        built = found()
    except SupernetError:
        raise
    except Exception as error:  # whatever somebody's file raises
        problem = f"{type(error).__name__}: {error}"
        raise SupernetError(f"cannot load {name}: {problem}; expected MODULE:CLASS, as in my_net:MyNet") from error
    return space_of(built, rest.rpartition(".")[2].lower())


def run_onnx(model: bytes, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Run a model in onnxruntime."""
    from ...profilers.run_config import RunConfig
    from ...profilers.runtimes.registry import load_backend

    batch = len(next(iter(inputs.values())))
    with load_backend("onnxruntime").load(model, RunConfig(batch=batch)) as executable:
        outputs: Mapping[str, Any] = executable.run(dict(inputs))
    return outputs
