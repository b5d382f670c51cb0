"""`gnomon bundle`: profile boards that cannot install Gnomon."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...settings import PROFILE
from ..groups import group_of_commands
from ..options.command_file import with_config
from ..options.common import Backend, Force
from ..options.from_settings import checked, with_options
from ..options.kernels import kernel_request
from ..options.space import SpaceArgument, SpaceOption, named_space
from ..printing.estimate import print_models
from ..printing.progress import progress, say, say_if_not_interruptible, worker_progress

if TYPE_CHECKING:
    from ...lut.kernels.measuring.build import KernelRequest
    from ...profilers.transports.manifest import Bundle

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
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Zip file to write.")],
    space: SpaceArgument = None,
    space_option: SpaceOption = None,
    *,
    networks_only: Annotated[bool, typer.Option("--networks-only", help="Measure no layer.")] = False,
    kernels: Annotated[
        bool,
        typer.Option(
            "--kernels", help="Ask the device for its kernels of sampled networks; import makes the bundle of these."
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how large it will be, and write nothing.")] = False,
    force: Force = False,
    **values: Any,
) -> None:
    """Write all models of a space, with what times them, as one file to carry to a device."""
    from ...lut.measuring.bundle import BUNDLE as BUNDLE_FILE
    from ...lut.measuring.bundle import bundle_request, create_bundle, estimate_bundle
    from ...outputs import require_place
    from ...profilers.timing.protocol import TimingPolicy
    from ...profilers.transports.manifest import WORKER

    asked = checked(BUNDLE, values)
    if kernels:
        if space or space_option or networks_only:
            raise typer.BadParameter("--kernels measures no space; leave SPACE and --networks-only out")
        create_of_kernels(kernel_request(context, BUNDLE, "", asked), out, dry_run=dry_run, force=force)
        return
    policy = TimingPolicy(time_cap_s=asked.pop("time_cap_s"))
    request = bundle_request(
        named_space(space, space_option, default="fashion_mnist"),
        **asked,
        layers=not networks_only,
        policy=policy,
    )
    estimate = estimate_bundle(request)
    require_place(out, BUNDLE_FILE, force=force)
    print_models(estimate)
    if dry_run:
        return
    say("building the models ...")
    create_bundle(request, out, force=force)
    print(f"saved    {out} ({out.stat().st_size / 2**20:.1f} MiB)")
    print(f"there    unzip it, and in its folder: python3 {WORKER} --backend onnxruntime --threads 1")


def create_of_kernels(request: KernelRequest, out: Path, *, dry_run: bool, force: bool) -> None:
    """Write the bundle that asks a device for its kernels, and say what follows."""
    from ...lut.kernels.measuring.bundle import create_kernel_bundle
    from ...lut.measuring.bundle import BUNDLE
    from ...outputs import require_place
    from ...profilers.transports.manifest import WORKER

    if dry_run:
        require_place(out, BUNDLE, force=force)
        print(f"kernels  of {request.networks} sampled networks; the runtime there says which, and nothing is timed")
        print("nothing is written")
        return
    create_kernel_bundle(request, out, force=force)
    print(f"saved    {out} ({out.stat().st_size / 2**20:.1f} MiB)")
    print(f"there    unzip it, and in its folder: python3 {WORKER} --backend onnxruntime --threads 1")
    print(f"then     gnomon bundle import {out} GRAPHS, which makes the bundle that times the kernels")


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
    out: Annotated[Path | None, typer.Option(help="File to write; default: named after the device.")] = None,
    force: Force = False,
) -> None:
    """Turn what a device measured of a bundle into a profile, or what it told of kernels into the bundle of these."""
    from ...lut.kernels.measuring.bundle import is_of_kernels
    from ...lut.measuring.bundle import import_results
    from ...profilers.transports.bundle import read_bundle
    from ..printing.profile import print_profile

    carried = read_bundle(file)
    if is_of_kernels(carried):
        import_of_kernels(carried, file, results, out, force=force)
        return
    profile, path = import_results(file, results, out, force=force)
    print_profile(profile)
    print(f"saved    {path}")


def import_of_kernels(carried: Bundle, file: Path, results: Path, out: Path | None, *, force: bool) -> None:
    """Turn graphs into the bundle that times their kernels, or what that measured into a kernel profile."""
    from ...lut.kernels.measuring.bundle import import_graphs, import_kernel_results
    from ...profilers.transports.manifest import GRAPHS, WORKER
    from ..printing.kernel_profile import print_kernel_profile

    if carried.asks != GRAPHS:
        profile, path = import_kernel_results(file, results, out, force=force)
        print_kernel_profile(profile)
        print(f"saved    {path}")
        return
    made, path = import_graphs(file, results, out, force=force)
    backend, threads = made.only or ("onnxruntime", 1)
    print(f"kernels  {sum(item.role == 'layer' for item in made.items) - 1} to time, made by {backend} there")
    print(f"saved    {path} ({path.stat().st_size / 2**20:.1f} MiB)")
    print(f"there    unzip it, and in its folder: python3 {WORKER} --backend {backend} --threads {threads}")
