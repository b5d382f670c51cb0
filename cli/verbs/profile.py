"""`gnomon profile`: measure a hardware profile."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...settings import PROFILE
from ..options.command_file import with_config
from ..options.common import Backend, DryRun, Force
from ..options.completion import profile_names
from ..options.device import Device, Verbose, connected
from ..options.from_settings import checked, with_options
from ..options.kernels import kernel_request
from ..options.space import SpaceArgument, SpaceOption, named_space
from ..printing.profile import print_profile
from ..printing.progress import progress, worker_progress

if TYPE_CHECKING:
    from ...lut.kernels.measuring.build import KernelRequest
    from ...profilers.transports.transport import Transport

WITH_REFRESH = ("refresh", "out", "force", "device", "verbose")


def require_alone(context: typer.Context) -> None:
    """Raise BadParameter for an option that says what a refreshed profile says itself."""
    given = [name for name in context.params if name not in WITH_REFRESH and is_given(context, name)]
    if given:
        raise typer.BadParameter(
            f"--refresh takes everything from the profile; leave out {', '.join(map(named, given))} (expected with it: "
            "--out, --force, --device)"
        )


def is_given(context: typer.Context, name: str) -> bool:
    """Tell whether the command line gives a parameter."""
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def named(parameter: str) -> str:
    """Return a parameter as the command line has it."""
    special = {"space": "SPACE", "space_option": "--space", "source": "--from"}
    return special.get(parameter, f"--{parameter.replace('_', '-')}")


def refreshed(source: str, *, out: Path | None, force: bool, device: str, verbose: bool) -> None:
    """Say whether a profile holds, and write a rescaled one; raises QualityRefused where none can be gone on with."""
    from ...api import refresh
    from ..exits import QualityRefused
    from ..printing.profile import print_validity

    with connected(device, verbose=verbose) as transport, progress(f"refresh {source}") as report:
        found = refresh(source, out=out, force=force, device=transport, on_progress=worker_progress(report))
    print_validity(found.validity)
    if found.profile is None:
        do = "profile anew" if found.validity.answer == "changed" else "run gnomon doctor, quieten the machine, repeat"
        raise QualityRefused(f"{found.validity.sentence}; {do}")
    print(f"refresh  {found.validity.sentence}")
    if found.path is not None:
        print_profile(found.profile)
        print(f"saved    {found.path}")


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    @with_config
    @with_options(PROFILE)
    def profile(
        context: typer.Context,
        space: SpaceArgument = None,
        space_option: SpaceOption = None,
        backend: Backend = "onnxruntime",
        *,
        networks_only: Annotated[
            bool, typer.Option("--networks-only", help="Measure no layer: a regression on the whole networks predicts.")
        ] = False,
        kernels: Annotated[
            bool,
            typer.Option(
                "--kernels",
                help="Measure kernels of sampled networks instead of a space: for predict --model FILE.onnx.",
            ),
        ] = False,
        source: Annotated[
            str | None,
            typer.Option("--from", help="Correct this profile of another device or configuration by --samples."),
        ] = None,
        samples: Annotated[int, typer.Option(help="Whole networks measured with --from.", min=10)] = 10,
        refresh: Annotated[
            str | None,
            typer.Option(
                metavar="PROFILE",
                help="Time a few models of this profile again: does it hold? Rescaled where all moved alike.",
                autocompletion=profile_names,
            ),
        ] = None,
        out: Annotated[Path | None, typer.Option(help="File to write; default: named after the device.")] = None,
        strict: Annotated[
            bool, typer.Option("--strict", help="Exit 4 when the profile's quality is not good.")
        ] = False,
        dry_run: DryRun = False,
        force: Force = False,
        device: Device = "local",
        verbose: Verbose = False,
        **values: Any,
    ) -> None:
        """Measure every layer of a space on a device, and whole networks that verify the table."""
        if refresh is not None:
            require_alone(context)
            refreshed(refresh, out=out, force=force, device=device, verbose=verbose)
            return
        from ...api import load_profile
        from ...api import profile as measure_profile
        from ...api.latency import estimate_profile
        from ...lut.profile_file.store import SUFFIX
        from ...profilers.timing.protocol import TimingPolicy
        from ..exits import QualityRefused
        from ..printing.estimate import print_models, span
        from ..printing.profile import print_profile
        from ..printing.report import print_report

        asked = checked(PROFILE, values)
        if kernels:
            if space or space_option or networks_only:
                raise typer.BadParameter("--kernels measures no space; leave SPACE and --networks-only out")
            of_kernels = kernel_request(context, PROFILE, backend, asked)
            if dry_run:
                require_kernels_measurable(of_kernels, source, out, device, verbose=verbose, force=force)
                print(f"models   {of_kernels.networks} sampled networks, and the kernels that {backend} makes of them")
                print(f"time     {span(of_kernels.policy.time_cap_s)} of measuring at most")
                print("nothing is measured, and nothing is written")
                return
            with connected(device, verbose=verbose) as transport:
                measure_kernels(of_kernels, source, samples, out, transport, force=force)
            return
        policy = TimingPolicy(time_cap_s=asked.pop("time_cap_s"))
        if source is not None:
            asked["networks"] = samples
        named = named_space(space, space_option, default="fashion_mnist")
        asked |= {
            "out": out,
            "layers": source is None and not networks_only,
            "source": None if source is None else load_profile(source),
            "policy": policy,
            "force": force,
        }
        with connected(device, verbose=verbose) as transport:
            if dry_run:
                print_models(estimate_profile(named, backend, **asked, device=transport))
                print("nothing is measured, and nothing is written")
                return
            with progress(f"profile {named} on {backend}") as report:
                measured = measure_profile(
                    named, backend, **asked, device=transport, on_progress=worker_progress(report)
                )
        print_profile(measured)
        path = out or Path(measured.name + SUFFIX)
        print(f"saved    {path}")
        print_report(path.with_suffix(".html"), measured)
        if strict and measured.quality != "good":
            raise QualityRefused(f"the profile's quality is {measured.quality}: {measured.quality_reason}")


def require_kernels_measurable(
    request: KernelRequest, source: str | None, out: Path | None, device: str, *, verbose: bool, force: bool
) -> None:
    """Raise what measuring a kernel profile on a device would raise at once; nothing is written."""
    from dataclasses import replace

    from ...lut.kernels.measuring.build import require_measurable
    from ...lut.kernels.profile_file.profile import load_kernel_profile

    if source is not None:
        request = replace(request, source=load_kernel_profile(source))
    with connected(device, verbose=verbose) as transport:
        path = out or Path(request.file_name(transport.hardware().slug_of(request.config.device)))
        require_measurable(request, path, transport, force=force)


def measure_kernels(
    request: KernelRequest, source: str | None, samples: int, out: Path | None, device: Transport, *, force: bool
) -> None:
    """Measure a kernel profile on a device, and say what it holds."""
    from ...api import profile_kernels
    from ..printing.kernel_profile import print_kernel_profile

    path = out or Path(request.file_name(device.hardware().slug_of(request.config.device)))
    with progress(f"kernels of {request.backend}") as report:
        measured = profile_kernels(
            request.backend,
            out=path,
            threads=request.config.threads,
            networks=request.networks,
            source=source,
            samples=samples,
            policy=request.policy,
            force=force,
            device=device,
            on_progress=worker_progress(report),
        )
    print_kernel_profile(measured)
    print(f"saved    {path}")
