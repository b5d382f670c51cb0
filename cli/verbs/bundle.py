"""`gnomon bundle`: profile boards that cannot install Gnomon."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ...settings import PROFILE
from ..groups import group_of_commands
from ..options.command_file import with_config
from ..options.common import Backend, Force
from ..options.from_settings import checked, with_options
from ..options.space import SpaceArgument, SpaceOption, named_space
from ..printing.estimate import print_models
from ..printing.progress import progress, say, say_if_not_interruptible, worker_progress

BUNDLE = {name: setting for name, setting in PROFILE.items() if name != "threads"}  # chosen on the device
BundleFile = Annotated[Path, typer.Argument(help="Zip file written by gnomon bundle create.")]


def register(app: typer.Typer) -> None:
    """Add the verb and its commands."""
    bundle = group_of_commands(app, "bundle", "Profile boards that cannot install Gnomon.")
    bundle.command(name="create")(create)
    bundle.command(name="run")(run)
    bundle.command(name="import")(import_)


@with_config
@with_options(BUNDLE)
def create(
    out: Annotated[Path, typer.Option(help="Zip file to write.")],
    space: SpaceArgument = None,
    space_option: SpaceOption = None,
    *,
    networks_only: Annotated[bool, typer.Option("--networks-only", help="Measure no layer.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how large it will be, and write nothing.")] = False,
    force: Force = False,
    **values: Any,
) -> None:
    """Write all models of a space, with what times them, as one file to carry to a device."""
    from ...lut.measuring.bundle import bundle_request, create_bundle, estimate_bundle
    from ...profilers.timing.protocol import TimingPolicy
    from ...profilers.transports.manifest import WORKER

    asked = checked(BUNDLE, values)
    policy = TimingPolicy(time_cap_s=asked.pop("time_cap_s"))
    request = bundle_request(
        named_space(space, space_option, default="fashion_mnist"),
        **asked,
        layers=not networks_only,
        policy=policy,
    )
    print_models(estimate_bundle(request))
    if dry_run:
        return
    say("building the models ...")
    create_bundle(request, out, force=force)
    print(f"saved    {out} ({out.stat().st_size / 2**20:.1f} MiB)")
    print(f"there    unzip it, and in its folder: python3 {WORKER} --backend onnxruntime --threads 1")


@with_options({"threads": PROFILE["threads"]})
def run(
    file: BundleFile,
    backend: Backend = "onnxruntime",
    **values: Any,
) -> None:
    """Run a bundle on this machine, unpacked beside its file; the same command goes on after an interruption."""
    from ...outputs import OutputUnusable
    from ...profilers.transports.bundle import unpack_beside
    from ...profilers.transports.bundle_device import run_bundle

    threads = checked({"threads": PROFILE["threads"]}, values)
    say_if_not_interruptible()
    try:
        folder = unpack_beside(file)
    except OSError as error:
        raise OutputUnusable(f"cannot unpack {file} beside it: {error}") from error
    with progress(f"{file.name} on {backend}") as report:
        results = run_bundle(folder, backend, **threads, on_progress=worker_progress(report))
    print(f"results  {results}")
    print(f"next     gnomon bundle import {file} {results}")


def import_(
    file: BundleFile,
    results: Annotated[Path, typer.Argument(help="The one file that the device named.")],
    out: Annotated[Path | None, typer.Option(help="Profile to write; default: named after the device.")] = None,
    force: Force = False,
) -> None:
    """Turn what a device measured of a bundle into a hardware profile."""
    from ...lut.measuring.bundle import import_results
    from ..printing.profile import print_profile

    profile, path = import_results(file, results, out, force=force)
    print_profile(profile)
    print(f"saved    {path}")
