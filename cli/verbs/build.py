"""`gnomon build`: engines ahead of time for a named device, and the spread of builds on this one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...inputs import exists, fault_of_file, fault_of_folder
from ..options.command_file import with_config
from ..options.common import AsJson, DryRun, Force
from ..options.space import Architectures, named_space
from ..printing.progress import say
from ..printing.table import print_json, print_table

if TYPE_CHECKING:
    from ...profilers.runtimes.builds import EngineFile


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    @with_config
    def build(
        models: Annotated[
            list[Path] | None, typer.Argument(help="ONNX files, or folders of them; with --arch a space.")
        ] = None,
        backend: Annotated[str, typer.Option(help="Runtime to build for.")] = "tensorrt_rtx",
        target: Annotated[str | None, typer.Option(help="Device to build for, e.g. sm86; it need not be here.")] = None,
        out: Annotated[Path | None, typer.Option(help="Folder for the engines.")] = None,
        space: Annotated[
            str | None, typer.Option(help="Build sub-networks of this space, with made-up weights.")
        ] = None,
        arch: Architectures = None,
        spread: Annotated[
            int | None,
            typer.Option(help="Instead: build so often for this device, and time how builds differ.", min=2),
        ] = None,
        precision: Annotated[
            str, typer.Option(help="To make sub-networks in; with --spread, what the models are in.")
        ] = "fp32",
        as_json: AsJson = False,
        dry_run: DryRun = False,
        force: Force = False,
    ) -> None:
        """Build engines for a device that need not be here, or measure how much builds differ on this one."""
        if (target is None) == (spread is None) or (target is None) != (out is None):
            raise typer.BadParameter(
                "give --target SM --out FOLDER to build engines, or --spread N to time builds here"
            )
        files, space = files_and_space(models or [], space, is_space=bool(arch))
        if bool(arch) != (space is not None):
            raise typer.BadParameter("--space and --arch go together: they say which sub-networks to build")
        found = {
            **models_from_paths(files),
            **(models_from_space(space, arch, precision) if space and arch else {}),
        }
        if not found:
            raise typer.BadParameter("name ONNX files, folders of them, or sub-networks by --space and --arch")
        if dry_run:
            from ...api.latency import require_engine_places

            if target is not None and out is not None:
                require_engine_places(found, target=target, out=out, force=force)
            print_build_cost(found, backend, target=target, spread=spread, precision=precision)
        elif spread is not None:
            print_spreads(found, backend, builds=spread, precision=precision, as_json=as_json)
        elif target is not None and out is not None:
            print_engines(found, backend, target=target, out=out, as_json=as_json, force=force)


def files_and_space(models: list[Path], option: str | None, *, is_space: bool) -> tuple[list[Path], str | None]:
    """Separate files from the space among the arguments: with `is_space`, that which does not exist is the space."""
    names = [path for path in models if not exists(path)] if is_space else []
    if len(names) > 1:
        raise typer.BadParameter(f"{names[0]} and {names[1]} are no files; expected one space for --arch")
    space = named_space(str(names[0]) if names else None, option, default=None)
    return [path for path in models if path not in names], space


def print_build_cost(
    models: dict[str, bytes], backend: str, *, target: str | None, spread: int | None, precision: str
) -> None:
    """Print what building would cost, by building the smallest and the largest model now."""
    from ...profilers.run_config import RunConfig
    from ...profilers.runtimes.registry import device_of, load_backend, load_builder
    from ...profilers.timing.protocol import TimingPolicy
    from ...profilers.worker.spread import VISITS
    from ..printing.estimate import print_builds

    if spread is None:
        builder = load_builder(backend)
        print_builds(models, lambda model: len(builder.build(model, target=target).content))
        return
    here, config, policy = (
        load_backend(backend),
        RunConfig(device=device_of(backend), precision=precision),
        TimingPolicy(),
    )

    def build(model: bytes) -> int:
        with here.load(model, config):
            return 0  # no engine stays

    timing_s = len(models) * spread * VISITS * policy.blocks_per_visit * policy.block_us / 1e6
    print_builds(models, build, times=spread, further_s=timing_s)


def print_engines(
    models: dict[str, bytes], backend: str, *, target: str, out: Path, as_json: bool, force: bool
) -> None:
    """Build engines and print where each one is."""
    from ...api import build as build_models

    def tell(engine: EngineFile) -> None:
        say(f"built {engine.path} in {engine.seconds:.1f} s")

    built = build_models(models, backend, target=target, out=out, force=force, on_built=tell)
    if as_json:
        print_json([{"path": e.path, "size_bytes": e.size_bytes, "seconds": e.seconds} for e in built])
    else:
        print_table(("engine", "KiB", "seconds"), [(str(e.path), e.size_bytes / 1024, e.seconds) for e in built])


def print_spreads(models: dict[str, bytes], backend: str, *, builds: int, precision: str, as_json: bool) -> None:
    """Time several builds of each model and print their spread."""
    from ...api import spread_of_builds

    spreads = {
        name: spread_of_builds(model, backend, builds=builds, precision=precision) for name, model in models.items()
    }
    if as_json:
        print_json(
            {
                name: {"values_us": s.values_us, "relative": s.relative, "relative_noise": s.relative_noise}
                for name, s in spreads.items()
            }
        )
        return
    rows = [
        (name, min(s.values_us), max(s.values_us), 100 * s.relative, 100 * s.relative_noise)
        for name, s in spreads.items()
    ]
    print_table(("model", "fastest us", "slowest us", "spread %", "repeat noise %"), rows)


def models_from_paths(paths: list[Path]) -> dict[str, bytes]:
    """Read ONNX files, by the names their engines get; a folder stands for all its .onnx files."""
    found: dict[str, bytes] = {}
    for path in paths:
        files = sorted(path.glob("*.onnx")) if not fault_of_folder(path) else [path]
        if not files:
            raise typer.BadParameter(f"{path} holds no .onnx file")
        for file in files:
            if fault := fault_of_file(file):
                raise typer.BadParameter(f"{file} {fault}; expected an ONNX file or a folder of them")
            if file.stem in found:
                raise typer.BadParameter(f"two models are called {file.stem}; build them into folders of their own")
            found[file.stem] = file.read_bytes()
    return found


def models_from_space(space: str, texts: list[str], precision: str) -> dict[str, bytes]:
    """Return the sub-networks asked for, a model for each part; weights are random, which is enough for timing."""
    from ...lut.profile_file.quantisation import weight_bits_for
    from ...supernets import load_space
    from ...supernets.graph import models_from_architecture
    from ...supernets.precision import parts_at_precision
    from ...supernets.space.parse import architectures_from_text

    loaded, bits = load_space(space), weight_bits_for("gpu", {})  # what engines are built for
    return {
        f"{architecture.id}.{part.name}": part.model
        for text in texts
        for architecture in architectures_from_text(loaded, text)
        for part in parts_at_precision(models_from_architecture(loaded, architecture), precision, weight_bits=bits)
    }
