"""Latency: measure a device, read its profile, predict, compare, and build engines for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..settings import PROFILE

if TYPE_CHECKING:
    from ..lut import BundleEstimate, HardwareProfile, LatencyEstimate, ProfileDiff, Refreshed
    from ..lut.kernels.profile_file.profile import KernelProfile
    from ..profilers.run_config import RunConfig
    from ..profilers.runtimes.builds import EngineFile
    from ..profilers.timing.protocol import TimingPolicy
    from ..profilers.transports.transport import Transport
    from ..profilers.worker.spread import BuildSpread
    from ..supernets import Architecture


def backends() -> tuple[str, ...]:
    """Name the registered backends, whether or not their runtime is installed.

    >>> "onnxruntime" in gnomon.backends()
    True
    """
    from ..profilers.runtimes.registry import backend_names

    return backend_names()


def profile(
    space: str = "fashion_mnist",
    backend: str = "onnxruntime",
    *,
    out: str | Path | None = None,
    precision: str = PROFILE["precision"].default,
    threads: int = PROFILE["threads"].default,
    batch: int = PROFILE["batch"].default,
    networks: int = PROFILE["networks"].default,
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
    them, and ten are enough. Raises OutputUnusable and the errors of `gnomon.lut.errors` and `gnomon.profilers.errors`.

    >>> from gnomon.profilers import TimingPolicy
    >>> policy = TimingPolicy(min_passes=2, clean_blocks=0, time_cap_s=5.0)  # in a hurry: for a try
    >>> quick = gnomon.profile("fashion_mnist", networks=10, layers=False, policy=policy, out="quick.jsonl")
    >>> quick.header.backend, len(quick.networks)
    ('onnxruntime', 10)
    """
    from ..lut import ProfileRequest, build_profile
    from ..profilers.timing.protocol import TimingPolicy
    from ..profilers.transports.transport import open_device

    config = run_config(backend, precision=precision, threads=threads, batch=batch)
    request = ProfileRequest(
        space, backend, config, networks, layers=layers, source=source, policy=policy or TimingPolicy()
    )
    with open_device(device) if isinstance(device, str) else nullcontext(device) as transport:
        path = Path(out or request.file_name(transport.hardware().slug_of(config.device)))
        return build_profile(request, path, device=transport, force=force, on_progress=on_progress)


def estimate_profile(
    space: str,
    backend: str,
    *,
    out: str | Path | None,
    precision: str,
    threads: int,
    batch: int,
    networks: int,
    layers: bool,
    source: HardwareProfile | None,
    policy: TimingPolicy,
    force: bool,
    device: Transport,
) -> BundleEstimate:
    """Say how much `profile` would measure on an open device, or raise what it would at once; writes nothing."""
    from ..lut import ProfileRequest
    from ..lut.measuring.build import require_measurable
    from ..lut.measuring.bundle import estimate_bundle

    config = run_config(backend, precision=precision, threads=threads, batch=batch)
    request = ProfileRequest(space, backend, config, networks, layers=layers, source=source, policy=policy)
    path = Path(out or request.file_name(device.hardware().slug_of(config.device)))
    return estimate_bundle(require_measurable(request, path, device, force=force))


def run_config(backend: str, *, precision: str, threads: int, batch: int) -> RunConfig:
    """Return how a backend is to run models; raises LutError, UnknownBackend."""
    from ..lut import LutError
    from ..profilers.run_config import RunConfig
    from ..profilers.runtimes.registry import device_of

    try:
        return RunConfig(device=device_of(backend), precision=precision, threads=threads, batch=batch)
    except ValueError as error:
        raise LutError(str(error)) from error


def refresh(
    profile: str | Path,
    *,
    out: str | Path | None = None,
    policy: TimingPolicy | None = None,
    force: bool = False,
    device: Transport | str = "local",
    on_progress: Callable[[Mapping[str, Any]], None] | None = None,
) -> Refreshed:
    """Time a handful of a saved profile's models again: does it still hold? Takes seconds, on `device`.

    `profile` is a file or the name of a shipped one. What is found has a `validity` with its interval; where the device
    moved as a whole, a rescaled profile is in `out` (default: NAME.refreshed.jsonl), else nothing is written. Raises
    ProfileMismatch where device, runtime or options are not the profile's, UnknownProfile, ProfileDamaged,
    OutputUnusable, and the errors of `gnomon.profilers.errors`.

    >>> from gnomon.profilers import TimingPolicy
    >>> policy = TimingPolicy(min_passes=2, clean_blocks=0, time_cap_s=2.0)  # in a hurry: for a try
    >>> quick = gnomon.profile("fashion_mnist", networks=10, layers=False, policy=policy, out="quick.jsonl")
    >>> found = gnomon.refresh("quick.jsonl", policy=policy)
    >>> found.validity.low < found.validity.ratio < found.validity.high
    True
    """
    from ..lut import refresh_profile
    from ..profilers.transports.transport import open_device

    with open_device(device) if isinstance(device, str) else nullcontext(device) as transport:
        return refresh_profile(profile, out, device=transport, policy=policy, force=force, on_progress=on_progress)


def load_profile(source: str | Path) -> HardwareProfile:
    """Read a profile from a file, or a shipped one by its name; raises UnknownProfile, ProfileDamaged.

    >>> profile = gnomon.load_profile("fashion_mnist/amd-epyc-2c.onnxruntime.fp32.b1.t1")
    >>> profile.header.backend, profile.header.config.precision
    ('onnxruntime', 'fp32')
    """
    from ..lut import load_profile as load

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


def diff(
    a: HardwareProfile | KernelProfile | str | Path, b: HardwareProfile | KernelProfile | str | Path
) -> ProfileDiff:
    """Compare the layers that two profiles have in common: is the device slower, and which layers are?

    Of two kernel profiles the kernels are compared. Raises UnknownProfile, ProfileDamaged, and ProfileMismatch where
    there is nothing to compare.

    >>> name = "fashion_mnist/amd-epyc-2c.{}.fp32.b1.t1"
    >>> difference = gnomon.diff(name.format("onnxruntime"), name.format("openvino"))
    >>> difference.low < difference.ratio < difference.high
    True
    """
    from ..lut import diff_sources

    return diff_sources(a, b)


def opened(profile: HardwareProfile | str | Path) -> HardwareProfile:
    """Return a profile itself, or the one of that file or name; raises UnknownProfile, ProfileDamaged."""
    return load_profile(profile) if isinstance(profile, (str, Path)) else profile


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

    Raises OutputUnusable; BuildsUnavailable for a backend or target that there is no building for, ModelRejected once
    all other models are built, and the other errors of `gnomon.profilers.errors`.

    >>> from gnomon.supernets import load_space
    >>> from gnomon.supernets.graph import models_from_architecture
    >>> space = load_space("fashion_mnist")
    >>> (part,) = models_from_architecture(space, space.architecture(0 * space.radices))
    >>> (engine,) = gnomon.build({"smallest": part.model}, target="sm86", out="engines")
    >>> engine.path.name
    'smallest.sm86.engine'
    """
    from ..profilers.runtimes.builds import build_engines
    from ..profilers.runtimes.registry import load_builder

    builder = load_builder(backend)
    require_engine_places(models, target=target, out=Path(out), force=force)
    check_place = partial(require_engine_place, force=force)
    return build_engines(builder, models, Path(out), target=target, check_place=check_place, on_built=on_built)


def require_engine_places(models: Iterable[str], *, target: str, out: Path, force: bool) -> None:
    """Raise OutputUnusable unless engines of models, by name, may be written into `out`; writes nothing."""
    from ..profilers.runtimes.builds import engine_path

    for name in models:
        require_engine_place(engine_path(out, name, target), force=force)


def require_engine_place(path: Path, *, force: bool) -> None:
    """Raise OutputUnusable unless an engine and its record may be written."""
    from ..outputs import file_kind, require_free, require_place
    from ..profilers.files import has_schema
    from ..profilers.runtimes.builds import SCHEMA

    engine = file_kind("an engine", lambda path: has_schema(path.with_suffix(".json"), SCHEMA))
    record = file_kind("the record of an engine", lambda path: has_schema(path, SCHEMA))
    require_place(path, engine, force=force)
    require_free(path.with_suffix(".json"), record, force=True)


def spread_of_builds(model: bytes, backend: str, *, builds: int = 3, precision: str = "fp32") -> BuildSpread:
    """Build ONNX bytes several times for this device and time all builds in turn: how much do their latencies differ?

    The model must be in `precision` already. Raises LutError for an unknown one, and the errors of
    `gnomon.profilers.errors`.
    """
    from ..lut import LutError
    from ..profilers.run_config import RunConfig
    from ..profilers.runtimes.registry import device_of, load_backend
    from ..profilers.worker.spread import build_spread

    try:
        config = RunConfig(device=device_of(backend), precision=precision)
    except ValueError as error:
        raise LutError(str(error)) from error
    return build_spread(load_backend(backend), model, config, builds=builds)
