"""Searches: run one, say what its front is worth, and export what is chosen from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .latency import opened
from .preparing import asked_export, prepared_search, supernet_of

if TYPE_CHECKING:
    from ..lut import HardwareProfile
    from ..profilers.transports.transport import Transport
    from ..search import Run, SearchConfig, SearchProgress, Workers
    from ..search.deployments.profiles import Profiles
    from ..search.export.export import ExportedModel
    from ..search.final.front import FinalFront
    from ..search.loop import OnProgress


def run_search(
    config: SearchConfig,
    folder: str | Path,
    *,
    profile: HardwareProfile | str | Path | None = None,
    devices: Mapping[str, HardwareProfile | str | Path] | None = None,
    deployments: Sequence[HardwareProfile | str | Path] | None = None,
    checkpoint: str | Path | None = None,
    data: str | Path | None = None,
    start_from: Run | None = None,
    isolate: bool = False,
    timeout_s: float | None = None,
    force: bool = False,
    on_progress: OnProgress = lambda progress: None,
    on_step: Callable[[str], None] = lambda step: None,
    workers: Workers | None = None,
    track: Sequence[str] = (),
) -> Run:
    """Search `config.space` and return the run, whose folder holds every validation; repeating the call resumes it.

    The super-network is loaded only when an objective needs it. Latency comes from `profile`, and latency@NAME from the
    profile of that name in `devices`. `deployments` are profiles of one device, under other precisions, runtimes or
    numbers of threads: precision is then searched too, and the fastest of the others taken. Networks are validated in
    the profile's precision; memory and energy are measured here, as the profile says. `start_from` is
    another run on the space: what it measured counts, at no cost, where checkpoint, data and split agree, and else the
    architectures of its front are measured first. Raises the errors of `gnomon.search.errors`, ProfileMismatch for a
    profile of another space, and PrecisionUnavailable where this machine cannot compute in its precision. In int8,
    integer kernels are checked first, and `on_step` is told what was found; raises KernelsDisagree. It is told too when
    the first two validations are no better than guessing. `workers` evaluate sub-networks in the place of this process,
    as `gnomon.search.Workers("ray", workers=8)`; raises WorkersUnavailable.

    With `isolate` networks are validated in a process of their own: one that hangs longer than `timeout_s`, uses up the
    memory or takes its process down is recorded as failed, with its reason, and the search goes on. A `timeout_s`
    isolates too.

    `on_progress` is called with a `SearchProgress` after each measurement. `track` names experiment trackers to show
    the search in, as ("mlflow", "tensorboard", "wandb"); raises TrackingFailed, and ModuleNotFoundError without theirs.

    >>> config = gnomon.SearchConfig(space="fashion_mnist", objectives=("macs", "latency"), tactic="random", budget=20)
    >>> run = gnomon.run_search(config, "run", profile="fashion_mnist/amd-epyc-2c.onnxruntime.fp32.b1.t1")
    >>> len(run.measured)
    20
    """
    from ..reports.tracker import Tracking
    from ..search import Workers, search_in_context
    from ..search.runs.files.call import Call

    prepared = prepared_search(
        config,
        opened_profiles(profile, devices, deployments),
        checkpoint=checkpoint,
        data=data,
        isolate=isolate,
        timeout_s=timeout_s,
        on_step=on_step,
    )
    workers = workers or Workers()
    call = Call(
        checkpoint=str(checkpoint) if checkpoint else None,
        data=str(data) if data else None,
        start_from=None if start_from is None else str(start_from.folder),
        isolate=isolate,
        timeout_s=timeout_s,
        **asdict(workers),
    )
    with Tracking(track, on_step=on_step) as tracking:

        def each(progress: SearchProgress, /) -> None:
            on_progress(progress)
            tracking(progress)

        return search_in_context(
            prepared.context,
            prepared.config,
            Path(folder),
            provenance=prepared.provenance,
            start_from=start_from,
            on_progress=each,
            on_step=on_step,
            force=force,
            workers=workers,
            call=call,
        )


def load_run(folder: str | Path) -> Run:
    """Read a run folder, finished or not; raises RunDamaged, NothingMeasured.

    >>> config = gnomon.SearchConfig(space="fashion_mnist", objectives=("macs", "params"), tactic="random", budget=20)
    >>> run = gnomon.run_search(config, "run")
    >>> gnomon.load_run("run").front().architectures == run.front().architectures
    True
    """
    from ..search import load_run as load

    return load(folder)


def final_front(
    run: Run,
    *,
    profile: HardwareProfile | str | Path | None = None,
    checkpoint: str | Path | None = None,
    data: str | Path | None = None,
    controls: int = 8,
    period_ms: float | None = None,
    device: Transport | str = "local",
    force: bool = False,
    on_step: Callable[[str], None] = lambda step: None,
) -> FinalFront:
    """Validate the front of `run` on the split that the search did not use, time it here, and rank it again.

    Another `profile` than the run's prices its front anew first. Latencies are measured with the profile when its
    device and runtime are those of `device`; else they stay predicted, and `header.not_timed` says why. `controls`
    networks of the first round are validated too: they tell luck from a difference between the splits. What an
    application sees is timed too, with `period_ms` also one inference every so often. The run's
    folder keeps the result; an interrupted call goes on when repeated. Raises RunMismatch for a profile that cannot
    price the run, or another checkpoint than its own, and the errors of `gnomon.search.errors`.

    >>> config = gnomon.SearchConfig(space="fashion_mnist", objectives=("accuracy", "macs"), tactic="random", budget=4)
    >>> run = gnomon.run_search(config, "run")
    >>> final = gnomon.final_front(run, controls=0)
    >>> final.header.search_split, final.header.report_split
    ('validation', 'test')
    >>> all(0 < member.report["accuracy"] < 100 for member in final.members)
    True
    """
    from ..search.final.final import final_front as finish

    supernet = supernet_of(run, checkpoint=checkpoint, data=data)
    with device_at(device, on_step) as there:
        return finish(
            run,
            supernet=supernet,
            profile=None if profile is None else opened(profile),
            data=str(data) if data else None,
            controls=controls,
            period_ms=period_ms,
            device=there,
            force=force,
            on_step=on_step,
        )


def export(
    run: Run,
    pick: str,
    folder: str | Path,
    *,
    profile: HardwareProfile | str | Path | None = None,
    devices: Mapping[str, HardwareProfile | str | Path] | None = None,
    deployments: Sequence[HardwareProfile | str | Path] | None = None,
    precision: str | None = None,
    checkpoint: str | Path | None = None,
    data: str | Path | None = None,
    timing: bool = True,
    period_ms: float | None = None,
    kernels: bool = False,
    device: Transport | str = "local",
    force: bool = False,
    on_step: Callable[[str], None] = lambda step: None,
) -> ExportedModel:
    """Export the sub-network that `pick` (an id, knee, or a rule such as latency<=2ms) chooses from a run's front.

    At the precision that it was found in, unless another is given. Under another profile than the run was searched
    with, its front is priced anew first, and `on_step` is told; of several `deployments` the one predicts that the
    network runs fastest with. int8 weights have the bits that the search validated, or fewer where the
    profile's device takes no more; without either, those of this machine. With a profile of `device` the model is
    timed there, unless `timing` is off, once nothing else is measured; it is on the disk before, and interrupted
    meanwhile, the same call completes it. What an application sees is timed besides the hot loop: how long the model
    loads, its first inference and, with `period_ms`, one inference every so often. With `kernels`, the runtime is asked
    which kernels it makes of the files (`consists_of`). Raises Infeasible when none fits,
    RunMismatch for a profile that cannot price the run, ExportRefused when the file does not do what it should.

    >>> config = gnomon.SearchConfig(space="fashion_mnist", objectives=("macs", "params"), tactic="random", budget=20)
    >>> exported = gnomon.export(gnomon.run_search(config, "run"), "knee", "exported")
    >>> [file.name for file in exported.files]
    ['model.onnx']
    >>> all(parity.max_difference < 1e-3 for parity in exported.parities)
    True
    """

    from ..search.deployments.profiles import sources_in
    from ..search.export.export import export_subnet

    asked = asked_export(
        run,
        pick,
        opened_profiles(profile, devices, deployments),
        precision=precision,
        checkpoint=checkpoint,
        data=data,
        on_step=on_step,
    )
    chosen = asked.chosen
    provenance: dict[str, Any] = {
        "run": str(run.folder.name),
        "pick": pick,
        "seed": run.config.seed,
        "tactic": run.config.tactic,
        "searched_with": sources_in(run.header.provenance),
        "picked_with": sources_in(asked.priced.header.provenance),
    }
    if chosen.deployment is not None:
        provenance["deployment"] = chosen.deployment.as_json()
    with device_at(device, on_step) as there:
        return export_subnet(
            asked.supernet,
            chosen.network,
            Path(folder),
            profile=asked.profile,
            precision=asked.precision,
            provenance=provenance,
            timing=timing,
            period_ms=period_ms,
            with_kernels=kernels,
            device=there,
            force=force,
            on_step=on_step,
        )


def device_at(device: Transport | str, on_step: Callable[[str], None]) -> AbstractContextManager[Transport]:
    """Return a device for a with statement, opened where it is an address; raises AddressInvalid."""
    from ..profilers.transports.transport import open_device

    return open_device(device, say=on_step) if isinstance(device, str) else nullcontext(device)


def opened_profiles(
    profile: HardwareProfile | str | Path | None,
    devices: Mapping[str, HardwareProfile | str | Path] | None,
    deployments: Sequence[HardwareProfile | str | Path] | None,
) -> Profiles:
    """Return the profiles of a call, read where they are files or names; raises InvalidConfig, UnknownProfile."""
    from ..search.deployments.given import given_profiles

    return given_profiles(
        opened(profile) if isinstance(profile, (str, Path)) else profile,
        {name: opened(one) for name, one in (devices or {}).items()},
        [opened(one) for one in deployments or ()],
    )
