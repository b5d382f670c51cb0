"""The three journeys as functions: profile a device, search against a profile, export what was chosen.

Everything here composes the packages below; the command line calls the same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .lut import HardwareProfile, LatencyEstimate, ProfileDiff
    from .profilers.runtimes.builds import EngineFile
    from .profilers.timing.protocol import TimingPolicy
    from .profilers.transports.transport import Transport
    from .profilers.worker.spread import BuildSpread
    from .search import Run, SearchConfig
    from .search.deployments.profiles import Profiles
    from .search.export.export import ExportedModel
    from .search.final.front import FinalFront
    from .supernets import Architecture
    from .supernets.evaluation.evaluate import Evaluated
    from .supernets.training.recipe import Recipe


def spaces() -> tuple[str, ...]:
    """Name the registered search spaces."""
    from .supernets import space_names

    return space_names()


def backends() -> tuple[str, ...]:
    """Name the registered backends, whether or not their runtime is installed."""
    from .profilers.runtimes.registry import backend_names

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
    from .profilers.run_config import RunConfig
    from .profilers.runtimes.registry import device_of
    from .profilers.timing.protocol import TimingPolicy
    from .profilers.transports.transport import open_device

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


def predict(profile: HardwareProfile | str | Path, architectures: Sequence[Architecture]) -> LatencyEstimate:
    """Predict the latencies of architectures on the profile's device, each with its 90 % interval, (n,).

    Raises UnknownProfile, ProfileDamaged, ProfileMismatch, InvalidArchitecture, LatencyMissing.

    >>> profile = gnomon.load_profile("fashion_mnist/amd-epyc-2c.onnxruntime.fp32.b1.t1")
    >>> smallest = profile.space.architecture(0 * profile.space.radices)
    >>> estimate = gnomon.predict(profile, [smallest])
    >>> bool(estimate.low_us[0] < estimate.value_us[0] < estimate.high_us[0])
    True
    """
    return opened(profile).latency.predict([architecture.indices for architecture in architectures])


def diff(a: HardwareProfile | str | Path, b: HardwareProfile | str | Path) -> ProfileDiff:
    """Compare the layers that two profiles have in common: is the device slower, and which layers are?

    Raises UnknownProfile, ProfileDamaged, and ProfileMismatch where there is nothing to compare.

    >>> name = "fashion_mnist/amd-epyc-2c.{}.fp32.b1.t1"
    >>> difference = gnomon.diff(name.format("onnxruntime"), name.format("openvino"))
    >>> difference.low < difference.ratio < difference.high
    True
    """
    from .lut import diff_profiles

    return diff_profiles(opened(a), opened(b))


def opened(profile: HardwareProfile | str | Path) -> HardwareProfile:
    """Return a profile itself, or the one of that file or name; raises UnknownProfile, ProfileDamaged."""
    return load_profile(profile) if isinstance(profile, (str, Path)) else profile


def evaluate(
    space: str,
    architectures: Sequence[Architecture],
    *,
    checkpoint: str | Path | None = None,
    data: str | Path | None = None,
    split: str = "test",
    precision: str = "fp32",
) -> tuple[Evaluated, ...]:
    """Evaluate sub-networks of `space` on all examples of a split: the metrics of their task, MACs and parameters.

    Raises UnknownSpace, CheckpointMismatch, DataUnavailable, InvalidArchitecture, PrecisionUnavailable.

    >>> space = gnomon.load_profile("fashion_mnist/amd-epyc-2c.onnxruntime.fp32.b1.t1").space
    >>> (found,) = gnomon.evaluate("fashion_mnist", [space.architecture(0 * space.radices)])
    >>> found.metrics["accuracy"] > 80
    True
    """
    from .supernets.evaluation.evaluate import evaluate as evaluated
    from .supernets.supernet import load_supernet

    supernet = load_supernet(space, checkpoint=checkpoint, data=data)
    return tuple(evaluated(supernet, architectures, split, precision=precision))


def train(
    space: str,
    *,
    data: str | Path | None = None,
    out: str | Path | None = None,
    parent: str | Path | None = None,
    recipe: Recipe | None = None,
    force: bool = False,
) -> Path:
    """Train the super-network of `space` by its recipe, or by the one given, and return the file of its weights.

    An interrupted call goes on when repeated. Raises SupernetError for a space without a recipe, UnknownSpace,
    DataUnavailable, CheckpointMismatch for a `parent` that does not fit.
    """
    from .supernets.training.to_file import TrainingRequest, train_to_file

    data, out, parent = (None if path is None else Path(path) for path in (data, out, parent))
    return train_to_file(TrainingRequest(space, data, out, parent, recipe, force))


def search(
    config: SearchConfig,
    folder: str | Path,
    *,
    profile: Profiles = None,
    checkpoint: str | Path | None = None,
    data: str | Path | None = None,
    start_from: Run | None = None,
    force: bool = False,
    on_progress: Callable[..., None] | None = None,
    on_step: Callable[[str], None] = lambda step: None,
) -> Run:
    """Search `config.space` and return the run, whose folder holds every validation; repeating the call resumes it.

    The super-network is loaded only when an objective needs it; latency comes from `profile`, and latency@NAME from
    the profile of that name where there are several by name. Several without names are deployments on one
    device: precision is then searched too, and the fastest runtime and number of threads is taken. Networks are
    validated in the profile's precision; memory and energy are measured here, as the profile says. `start_from` is
    another run on the space: what it measured counts, at no cost, where checkpoint, data and split agree, and else the
    architectures of its front are measured first. Raises the errors of `gnomon.search.errors`, ProfileMismatch for a
    profile of another space, and PrecisionUnavailable where this machine cannot compute in its precision. In int8,
    integer kernels are checked first, and `on_step` is told what was found; raises KernelsDisagree.
    """
    from .search import SearchContext, run_search
    from .search.deployments.profiles import searched
    from .search.deployments.resources import resources_from
    from .search.problem.task_metric import needs_supernet
    from .supernets import load_space
    from .supernets.evaluation.agreement import check_kernels
    from .supernets.precision import is_calibrated, require_here
    from .supernets.supernet import load_supernet

    known = searched(profile, load_space(config.space), config.objectives)
    supernet = None
    if needs_supernet(config.objectives, known.space):
        for precision in known.precisions:
            require_here(precision)
        supernet = load_supernet(config.space, checkpoint=checkpoint, data=data, weight_bits=known.weight_bits)
        if any(is_calibrated(precision) for precision in known.precisions):
            on_step(check_kernels(supernet, config.split).sentence())
    config = config.model_copy(update={"space": known.space.name})
    context = SearchContext(
        known.space,
        supernet=supernet,
        latency=known.latencies,
        precision=known.precision,
        resources=resources_from(profile, known.latencies, supernet),
    )
    provenance = known.provenance.having(
        checkpoint_sha256=supernet and supernet.checkpoint_sha256, data=str(data) if data else None
    )
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

    return load(folder)


def final_front(
    run: Run,
    *,
    profile: HardwareProfile | None = None,
    checkpoint: str | Path | None = None,
    data: str | Path | None = None,
    controls: int = 8,
    force: bool = False,
    on_step: Callable[[str], None] = lambda step: None,
) -> FinalFront:
    """Validate the front of `run` on the split that the search did not use, time it here, and rank it again.

    Another `profile` than the run's prices its front anew first. Latencies are measured with the profile when its
    device and runtime are those of this machine; else they stay predicted, and `header.not_timed` says why. `controls`
    networks of the first round are validated too: they tell luck from a difference between the splits. The run's
    folder keeps the result; an interrupted call goes on when repeated. Raises RunMismatch for a profile that cannot
    price the run, or another checkpoint than its own, and the errors of `gnomon.search.errors`.
    """
    from .search.final.final import final_front as finish
    from .search.problem.task_metric import needs_supernet
    from .supernets import load_space
    from .supernets.supernet import load_supernet

    supernet = None
    if needs_supernet([objective.name for objective in run.objectives], load_space(run.config.space)):
        supernet = load_supernet(run.config.space, checkpoint=checkpoint, data=data, weight_bits=run.weight_bits)
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
    profile: Profiles = None,
    precision: str | None = None,
    checkpoint: str | Path | None = None,
    data: str | Path | None = None,
    timing: bool = True,
    force: bool = False,
    on_step: Callable[[str], None] = lambda step: None,
) -> ExportedModel:
    """Export the sub-network that `pick` (an id, knee, or a rule such as latency<=2ms) chooses from a run's front.

    At the precision that it was found in, unless another is given. Under another profile than the run was searched
    with, its front is priced anew first, and `on_step` is told; of several profiles the one predicts that is of the
    deployment in which the network is fastest. int8 weights have the bits that the search validated, or fewer where the
    profile's device takes no more; without either, those of this machine. With a profile of this device the model is
    timed, unless `timing` is off, once nothing else is measured here; it is on the disk before, and interrupted
    meanwhile, the same call completes it. Raises Infeasible when none fits, RunMismatch for a profile that cannot price
    the run, ExportRefused when the file does not do what it should.
    """
    from .search.deployments.profiles import one_profile, sources_in
    from .search.export.choice import chosen_from
    from .search.export.export import export_subnet
    from .search.runs.repricing import repriced
    from .supernets.supernet import load_supernet

    priced = repriced(run, profile, precision=precision)
    if priced.pricing is not None:
        on_step(str(priced.pricing))
    chosen = chosen_from(priced, pick, shown=run)
    known = one_profile(profile, chosen.deployment)
    bits = [bits for bits in (run.weight_bits, None if known is None else known.weight_bits) if bits is not None]
    supernet = load_supernet(run.config.space, checkpoint=checkpoint, data=data, weight_bits=min(bits, default=None))
    provenance: dict[str, Any] = {
        "run": str(run.folder.name),
        "pick": pick,
        "seed": run.config.seed,
        "tactic": run.config.tactic,
        "searched_with": sources_in(run.header.provenance),
        "picked_with": sources_in(priced.header.provenance),
    }
    if chosen.deployment is not None:
        provenance["deployment"] = chosen.deployment.as_json()
    return export_subnet(
        supernet,
        chosen.network,
        Path(folder),
        profile=known,
        precision=precision or chosen.precision,
        provenance=provenance,
        timing=timing,
        force=force,
        on_step=on_step,
    )


def build(
    models: Mapping[str, bytes],
    backend: str = "tensorrt_rtx",
    *,
    target: str,
    out: str | Path,
    force: bool = False,
    on_built: Callable[[EngineFile], None] = lambda engine: None,
) -> tuple[EngineFile, ...]:
    """Build engines from ONNX bytes, by name, for a device such as sm86 that need not be here; write them into `out`.

    Raises OutputExists, with `force` for what is no such engine only, and the errors of `gnomon.profilers.errors`:
    BuildsUnavailable for a backend or target that there is no building for, and ModelRejected once all other models
    are built.
    """
    from .lut import OutputExists
    from .outputs import file_kind, require_free
    from .profilers.files import has_schema
    from .profilers.runtimes.builds import SCHEMA, build_engines, engine_path
    from .profilers.runtimes.registry import load_builder

    record = file_kind("the record of an engine", lambda path: has_schema(path, SCHEMA))
    engine = file_kind("an engine", lambda path: has_schema(path.with_suffix(".json"), SCHEMA))

    def check_place(path: Path) -> None:
        require_free(path, engine, force=force, refuse=OutputExists)
        require_free(path.with_suffix(".json"), record, force=True, refuse=OutputExists)

    builder = load_builder(backend)
    for name in models:
        check_place(engine_path(Path(out), name, target))
    return build_engines(builder, models, Path(out), target=target, check_place=check_place, on_built=on_built)


def spread_of_builds(model: bytes, backend: str, *, builds: int = 3, precision: str = "fp32") -> BuildSpread:
    """Build ONNX bytes several times for this device and time all builds in turn: how much do their latencies differ?

    The model must be in `precision` already. Raises LutError for an unknown one, and the errors of
    `gnomon.profilers.errors`.
    """
    from .lut import LutError
    from .profilers.run_config import RunConfig
    from .profilers.runtimes.registry import device_of, load_backend
    from .profilers.worker.spread import build_spread

    try:
        config = RunConfig(device=device_of(backend), precision=precision)
    except ValueError as error:
        raise LutError(str(error)) from error
    return build_spread(load_backend(backend), model, config, builds=builds)
