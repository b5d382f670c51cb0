"""The backend of TensorRT and of TensorRT for RTX, whose Python packages are one interface under two names."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Optional

import numpy as np

from ...errors import GpuError, GpuLost, ModelRejected, UnsupportedConfig
from ...machine.nvml import ABSENT, Nvml, open_nvml
from ...run_config import RunConfig
from ..backend import OperatorProfile
from ..graphs.fused_graph import FusedGraph
from ..graphs.tensorrt import graph_from_inspector
from ..ranges import ranges_of
from .caches import Cache, RuntimeCache, TimingCache
from .cuda import Cuda, open_cuda, versions_of
from .engine import THREADS, EngineBuilder
from .executable import GpuExecutable
from .layers import layer_times, operators_from_layers

DEVICE = "gpu"
WARMUP_LOOPS = 5  # inferences whose layers are not counted


class TensorRtBackend:
    """Builds engines for the first visible GPU and runs them there."""

    device = DEVICE

    def __init__(self, builder: EngineBuilder, install_command: str, *, cuda: Cuda, nvml: Optional[Nvml]) -> None:
        self.name = builder.name
        self.install_command = install_command
        self._builder = builder
        self._cuda = cuda
        self._nvml = nvml
        self._runtime: Any = builder.runtime.Runtime(builder.logger)
        self._cache: Optional[Cache] = None

    def version(self) -> str:
        """Return the version of TensorRT."""
        return self._builder.version()

    def versions(self) -> Dict[str, str]:
        """Return the version of everything here that may change a time, and which GPU it is."""
        told = {"gpu": f"not named: NVML is {ABSENT}"} if self._nvml is None else self._nvml.identity()
        return {self.name: self.version(), **versions_of(self._cuda), **told, "numpy": np.__version__}

    def conditions(self) -> Dict[str, Any]:
        """Return the GPU's clocks and what holds them down, at this moment, and what became of the cache."""
        cache = {} if self._cache is None else {"cache": self._cache.state}
        return {**cache, **({"nvml": ABSENT} if self._nvml is None else self._nvml.conditions())}

    def use_cache(self, path: Path) -> None:
        """Take up what earlier builds on this GPU found out, and keep what later ones find out."""
        kind = RuntimeCache if hasattr(self._builder.runtime, "IRuntimeCache") else TimingCache
        self._cache = kind(path, self._builder.log)

    def save_cache(self) -> None:
        """Write what the cache holds and its file does not."""
        if self._cache is not None:
            self._cache.save()

    def load(self, model: bytes, config: RunConfig) -> GpuExecutable:
        """Build an engine for this GPU, bind its inputs, and capture an inference where that works."""
        return self._loaded(model, config)

    def operator_times(self, model: bytes, config: RunConfig, loops: int) -> OperatorProfile:
        """Run the model layer by layer with TensorRT's profiler, which keeps it from being captured."""
        profiler = layer_times(self._builder.runtime)
        with self._loaded(model, config, is_explained=True) as executable:
            executable.profiled_ns(profiler, WARMUP_LOOPS)
            profiler.times_ms.clear()
            elapsed_ns = executable.profiled_ns(profiler, loops)
            information = executable.information(self._builder.runtime.LayerInformationFormat.JSON)
        operators = operators_from_layers(profiler.times_ms, information, inferences=loops)
        return OperatorProfile(operators, elapsed_ns / loops / 1e3)

    def fused_graph(self, model: bytes, config: RunConfig) -> FusedGraph:
        """Return which nodes of ``model`` each layer of the engine computes, as TensorRT's inspector tells."""
        with self._loaded(model, config, is_explained=True) as executable:
            information = executable.information(self._builder.runtime.LayerInformationFormat.JSON)
        return graph_from_inspector(model, *self._builder.values(model), information)

    def _loaded(self, model: bytes, config: RunConfig, *, is_explained: bool = False) -> GpuExecutable:
        if config.device != DEVICE or config.threads != THREADS:
            raise UnsupportedConfig(
                f"The {self.name} backend times on the gpu with {THREADS} thread of the host, whose threads change "
                f"nothing there; asked for {config.device!r} with {config.threads}"
            )
        try:
            executable = self._opened(model, config, is_explained)
        except GpuLost:
            raise
        except (GpuError, ModelRejected) as exc:
            self._cuda.require_alive()  # else it is the GPU that failed, and every later model would be blamed
            raise ModelRejected(f"{self.name} {self.version()} cannot run the model: {exc}") from exc
        if self._cache is not None:
            self._cache.keep()
        return executable

    def _opened(self, model: bytes, config: RunConfig, is_explained: bool) -> GpuExecutable:
        built = self._builder.build(model, precision=config.precision, cache=self._cache, is_detailed=is_explained)
        engine = self._runtime.deserialize_cuda_engine(built.content)
        if engine is None:
            raise ModelRejected(self._builder.log.reasons())
        context = engine.create_execution_context() if self._cache is None else self._cache.context(engine)
        if context is None:
            raise ModelRejected(self._builder.log.reasons())
        return GpuExecutable(
            self._cuda, engine, context, built.options, ranges=ranges_of(model), is_captured=not is_explained
        )


def open_on_gpu(builder: EngineBuilder, install_command: str) -> TensorRtBackend:
    """Return the backend on the first visible GPU; raises `BackendUnavailable` where CUDA or a GPU is missing."""
    cuda = open_cuda(builder.name)
    return TensorRtBackend(builder, install_command, cuda=cuda, nvml=open_nvml(cuda.bus_id()))
