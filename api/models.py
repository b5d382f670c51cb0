"""Any ONNX file: measure the kernels of a device, and predict from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..settings import PROFILE

if TYPE_CHECKING:
    from ..lut.kernels.predict import ModelPrediction
    from ..lut.kernels.profile_file.profile import KernelProfile
    from ..profilers.timing.protocol import TimingPolicy
    from ..profilers.transports.transport import Transport


def profile_kernels(
    backend: str = "onnxruntime",
    *,
    out: str | Path | None = None,
    threads: int = PROFILE["threads"].default,
    networks: int | None = None,
    source: KernelProfile | str | Path | None = None,
    samples: int | None = None,
    policy: TimingPolicy | None = None,
    force: bool = False,
    device: Transport | str = "local",
    on_progress: Callable[[Mapping[str, Any]], None] | None = None,
) -> KernelProfile:
    """Measure a kernel profile of `device`, from which any ONNX file's latency is predicted, and write it to `out`.

    Of `networks` sampled ones (None: 33) the kernels that the runtime makes of them are timed, and the networks whole;
    that takes minutes, and an interrupted call goes on when repeated. With a `source`, the kernel profile of another
    device or configuration, a few kernels of each sort and `samples` networks (None: 10) are measured, and the other
    kernels scaled. Default `out`: named after the device. Raises
    OutputUnusable, GraphUnavailable for a backend that does not tell its kernels, and the other errors of
    `gnomon.lut.errors` and `gnomon.profilers.errors`.

    >>> from gnomon.profilers import TimingPolicy
    >>> policy = TimingPolicy(min_passes=2, max_passes=2, processes=1, clean_blocks=0)  # in a hurry: for a try
    >>> kernels = gnomon.profile_kernels(networks=1, policy=policy, out="here.kernels.jsonl")
    >>> len(kernels.models), kernels.call_us > 0
    (1, True)
    """
    from ..lut.errors import LutError
    from ..lut.kernels.measuring.build import KernelRequest, build_kernel_profile
    from ..profilers.run_config import RunConfig
    from ..profilers.runtimes.registry import device_of
    from ..profilers.transports.transport import open_device

    try:
        default = KernelRequest(backend, RunConfig(device=device_of(backend), threads=threads))
    except ValueError as error:
        raise LutError(str(error)) from error
    request = replace(
        default,
        networks=default.networks if networks is None else networks,
        policy=policy or default.policy,
        source=None if source is None else opened(source),
        samples=default.samples if samples is None else samples,
    )
    with open_device(device) if isinstance(device, str) else nullcontext(device) as transport:
        path = Path(out or request.file_name(transport.hardware().slug_of(request.config.device)))
        return build_kernel_profile(request, path, device=transport, force=force, on_progress=on_progress)


def predict_model(
    profile: KernelProfile | str | Path,
    model: str | Path,
    *,
    shapes: Mapping[str, tuple[int, ...]] | None = None,
    measure: bool = False,
    device: Transport | str = "local",
    on_progress: Callable[[Mapping[str, Any]], None] | None = None,
) -> ModelPrediction:
    """Predict the latency of an ONNX file in microseconds from a kernel profile, with its 90 % interval.

    `shapes` are sizes of inputs that the file leaves open, by name. With `measure`, the kernels that the profile lacks
    are timed now, on `device`, in up to 15 seconds. `device` is the profile's, whose runtime is asked which kernels it
    makes of the model. Raises UnknownProfile, ProfileDamaged, ProfileMismatch for another device or runtime, LutError
    for a file that cannot be asked about, and the errors of `gnomon.profilers.errors`.

    >>> from pathlib import Path
    >>> from gnomon.profilers import TimingPolicy
    >>> from gnomon.supernets import load_space
    >>> from gnomon.supernets.graph import models_from_architecture
    >>> space = load_space("fashion_mnist")
    >>> (part,) = models_from_architecture(space, space.architecture(0 * space.radices))
    >>> size = Path("model.onnx").write_bytes(part.model)
    >>> policy = TimingPolicy(min_passes=2, max_passes=2, processes=1, clean_blocks=0)  # in a hurry: for a try
    >>> kernels = gnomon.profile_kernels(networks=1, policy=policy, out="here.kernels.jsonl")
    >>> found = gnomon.predict_model(kernels, "model.onnx")
    >>> found.value_us > 0, round(found.share("measured") + found.share("predicted"), 6)
    (True, 1.0)
    """
    from ..lut.kernels.predict import predict_file
    from ..profilers.transports.transport import open_device

    with open_device(device) if isinstance(device, str) else nullcontext(device) as transport:
        return predict_file(opened(profile), model, shapes, measure=measure, device=transport, on_progress=on_progress)


def opened(profile: KernelProfile | str | Path) -> KernelProfile:
    """Return a kernel profile itself, or the one of that file; raises UnknownProfile, ProfileDamaged."""
    from ..lut.kernels.profile_file.profile import load_kernel_profile

    return load_kernel_profile(profile) if isinstance(profile, (str, Path)) else profile
