"""The three journeys as functions: profile a device, search against a profile, export what was chosen.

Everything here composes the packages below; the command line calls the same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .lut import HardwareProfile
    from .profilers.timing import TimingPolicy
    from .profilers.transport import Transport
    from .search import Run, SearchConfig
    from .search.export import ExportedModel
    from .search.final_front import FinalFront


def spaces() -> tuple[str, ...]:
    """Name the registered search spaces."""
    from .supernets import space_names

    return space_names()


def backends() -> tuple[str, ...]:
    """Name the registered backends, whether or not their runtime is installed."""
    from .profilers.registry import backend_names

    return backend_names()


def profile(
    space: str = "fashion_mnist",
    backend: str = "onnxruntime",
    *,
    out: str | Path | None = None,
    precision: str = "fp32",
    threads: int = 1,
    batch: int = 1,
    networks: int = 30,
    layers: bool = True,
    source: HardwareProfile | None = None,
    policy: TimingPolicy | None = None,
    force: bool = False,
    device: Transport | str = "local",
    on_progress: Callable[[Mapping[str, Any]], None] | None = None,
) -> HardwareProfile:
    """Measure a hardware profile of `device` and write it to `out` (default: named after the device).

    A device is this one, an address such as ssh://user@host, or what `gnomon.profilers.open_device` opened.

    Takes about half a minute for the embedded space; an interrupted call goes on when repeated. Without `layers` only
    whole networks are measured; with a `source` too, that profile of another device or configuration is corrected by
    them, and ten are enough. Raises the errors of `gnomon.lut.errors` and `gnomon.profilers.errors`.
    """
    from .lut import LutError, ProfileRequest, build_profile
    from .profilers.backend import RunConfig
    from .profilers.registry import device_of
    from .profilers.timing import TimingPolicy
    from .profilers.transport import open_device

    try:
        config = RunConfig(device=device_of(backend), precision=precision, threads=threads, batch=batch)
    except ValueError as error:
        raise LutError(str(error)) from error
    request = ProfileRequest(
        space, backend, config, networks, layers=layers, source=source, policy=policy or TimingPolicy()
    )
    with open_device(device) if isinstance(device, str) else nullcontext(device) as transport:
        path = Path(out or request.file_name(transport.hardware().slug))
        return build_profile(request, path, device=transport, force=force, on_progress=on_progress)


def load_profile(source: str | Path) -> HardwareProfile:
    """Read a profile from a file, or a shipped one by its name."""
    from .lut import load_profile as load

    return load(source)


def search(
    config: SearchConfig,
    folder: str | Path,
    *,
    profile: HardwareProfile | Mapping[str, HardwareProfile] | None = None,
    checkpoint: Path | None = None,
    data: Path | None = None,
    start_from: Run | None = None,
    force: bool = False,
    on_progress: Callable[..., None] | None = None,
) -> Run:
    """Search `config.space` and return the run, whose folder holds every validation; repeating the call resumes it.

    The super-network is loaded only when an objective needs it; latency comes from `profile`, and latency@NAME from
    the profile of that name where there are several. `start_from` is another run on the space: what it measured counts,
    at no cost, where checkpoint, data and split agree, and else the architectures of its front are measured first.
    Raises the errors of `gnomon.search.errors`, and ProfileMismatch for a profile of another space.
    """
    from .search import SearchContext, run_search
    from .search.profiles import latencies_from, named, provenance_from
    from .search.task_metric import needs_supernet
    from .supernets import load_space
    from .supernets.supernet import load_supernet

    supernet = None
    if needs_supernet(config.objectives):
        supernet = load_supernet(config.space, checkpoint=checkpoint, data=data)
    profiles = named(profile)
    latencies = latencies_from(profiles, config.space)
    context = SearchContext(load_space(config.space), supernet=supernet, latency=latencies)
    provenance = {
        **provenance_from(profiles),
        "checkpoint_sha256": supernet and supernet.checkpoint_sha256,
        "data": str(data) if data else None,
    }
    return run_search(
        context,
        config,
        Path(folder),
        provenance=provenance,
        start_from=start_from,
        on_progress=on_progress,
        force=force,
    )


def load_run(folder: str | Path) -> Run:
    """Read a run folder, finished or not."""
    from .search import load_run as load

    return load(Path(folder))


def final_front(
    run: Run,
    *,
    profile: HardwareProfile | None = None,
    checkpoint: Path | None = None,
    data: Path | None = None,
    controls: int = 8,
    force: bool = False,
    on_step: Callable[[str], None] = lambda step: None,
) -> FinalFront:
    """Validate the front of `run` on the split that the search did not use, time it here, and rank it again.

    Latencies are measured with the run's own `profile` when its device and runtime are those of this machine; else
    they stay predicted, and `header.not_timed` says why. `controls` networks of the first round are validated too:
    they tell luck from a difference between the splits. The run's folder keeps the result; an interrupted call goes on
    when repeated. Raises RunMismatch for another profile or checkpoint than the run's, and the errors of
    `gnomon.search.errors`.
    """
    from .search.final import final_front as finish
    from .search.task_metric import needs_supernet
    from .supernets.supernet import load_supernet

    supernet = None
    if needs_supernet(tuple(objective.name for objective in run.objectives)):
        supernet = load_supernet(run.config.space, checkpoint=checkpoint, data=data)
    return finish(
        run,
        supernet=supernet,
        profile=profile,
        data=str(data) if data else None,
        controls=controls,
        force=force,
        on_step=on_step,
    )


def export(
    run: Run,
    pick: str,
    folder: str | Path,
    *,
    profile: HardwareProfile | None = None,
    checkpoint: Path | None = None,
    data: Path | None = None,
    force: bool = False,
    on_step: Callable[[str], None] = lambda step: None,
) -> ExportedModel:
    """Export the sub-network that `pick` (an id, knee, or a rule such as latency<=2ms) chooses from a run's front.

    Raises Infeasible when none fits, ExportRefused when the file does not do what torch does.
    """
    from .search.export import export_subnet
    from .supernets.supernet import load_supernet

    chosen = run.front().pick(pick)
    supernet = load_supernet(run.config.space, checkpoint=checkpoint, data=data)
    provenance = {"run": str(run.folder.name), "pick": pick, "seed": run.config.seed, "tactic": run.config.tactic}
    return export_subnet(
        supernet, chosen, Path(folder), profile=profile, provenance=provenance, force=force, on_step=on_step
    )
