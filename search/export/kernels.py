"""Which kernels an exported network consists of, as the runtime that it was measured with makes them of its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...lut import HardwareProfile, LutError
from ...lut.kernels.graph.named import named
from ...lut.kernels.measuring.graphs import graphs_of
from ...profilers.errors import ProfilerError
from ...profilers.run_config import RunConfig
from ...profilers.runtimes.registry import load_backend
from ...profilers.transports.local import LocalDevice
from ...profilers.transports.transport import Transport
from ...supernets.graph import PartModel


@dataclass(frozen=True, slots=True)
class ExportedKernel:
    """A kernel of one of the files: its operator, its key (everything that changes its time), and how often it runs."""

    file: str
    operator: str
    key: str
    times: int


@dataclass(frozen=True, slots=True)
class ExportedKernels:
    """What a backend makes of the exported files; `not_told` says why it is not known, and is null where it is.

    runtime: its name and version. excluded: what cannot be timed alone, with the reason, and how often it runs.
    """

    backend: str
    runtime: str
    kernels: tuple[ExportedKernel, ...]
    excluded: dict[str, int]
    not_told: str | None = None


def kernels_of_export(
    parts: Sequence[PartModel],
    backend: str,
    *,
    precision: str,
    profile: HardwareProfile | None,
    device: Transport | None,
    elsewhere: str | None,
) -> ExportedKernels:
    """Ask the profile's backend on `device` (None: this machine), or without a profile `backend`, about the files.

    `elsewhere` says why that is not the profile's device, where the kernels would be others. What goes wrong is
    written down as the reason why they are not told: the exported files are what they are.
    """
    if profile is not None:
        backend, config = profile.header.backend, RunConfig(**profile.header.config.model_dump())
    else:
        config = RunConfig(device=load_backend(backend).device, precision=precision)
    if elsewhere is not None:
        return ExportedKernels(backend, "", (), {}, elsewhere)
    device = device or LocalDevice()
    models = {f"{part.name}.onnx": named(part.model) for part in parts}
    runs = {f"{part.name}.onnx": part.runs for part in parts}
    try:
        version = device.require(backend)
        graphs = graphs_of(models, backend, config, device)
    except (ProfilerError, LutError) as error:
        return ExportedKernels(backend, "", (), {}, " ".join(str(error).split()))
    found = [
        ExportedKernel(file, graph.kernels[key].operator, key, times * runs[file])
        for file, graph in graphs.items()
        for key, times in graph.counts.items()
    ]
    excluded: dict[str, int] = {}
    for file, graph in graphs.items():
        for what, times in graph.excluded.items():
            excluded[what] = excluded.get(what, 0) + times * runs[file]
    return ExportedKernels(backend, f"{backend.partition(':')[0]} {version}", tuple(found), excluded)
