"""ONNX to a TensorRT engine, by the builder alone: no GPU is needed where the engine is for a named one.

The network is strongly typed: what a model's file says is the precision, and TensorRT changes none of it. TF32 is off,
for fp32 must mean fp32. What differs between TensorRT 10, TensorRT 11 and TensorRT for RTX is asked of the runtime
itself, never of its version.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, Dict, FrozenSet, Iterable, List, Optional, Tuple

from ...errors import BuildsUnavailable, ModelRejected, UnsupportedConfig
from ..builds import BuiltEngine
from .caches import Cache
from .logger import Log, logger_into

THREADS = 1  # of the host, while building; running takes none
CURRENT = "CURRENT"  # the compute capability of the GPU that is here
# What a network of each precision may compute in, beside float32 and whole numbers.
TYPES: Dict[str, FrozenSet[str]] = {
    "fp32": frozenset(),
    "fp16": frozenset(("HALF",)),
    "int8": frozenset(("INT8",)),
}
REDUCED = frozenset(("HALF", "BF16", "INT8", "FP8", "INT4", "FP4"))
NUMPY = {"FLOAT": "float32", "HALF": "float16", "BF16": "bfloat16"}  # the others differ in case alone
NEEDED = {"fp16": "HALF"}  # an int8 network has layers with nothing to quantise, a fp16 one has none without halves
READ_BACK = ("builder_optimization_level", "max_aux_streams", "max_num_tactics", "avg_timing_iterations")


class EngineBuilder:
    """Builds engines with an imported TensorRT; ``name`` is the backend's, for messages."""

    def __init__(self, name: str, runtime: ModuleType) -> None:
        self.name = name
        self.runtime: Any = runtime
        self.log = Log()
        self.logger = logger_into(self.log, runtime)

    def version(self) -> str:
        """Return the version of TensorRT."""
        return str(self.runtime.__version__)

    def targets(self) -> Tuple[str, ...]:
        """Return the GPUs that it builds for without one, such as sm86; none where it must time kernels on the GPU."""
        members = getattr(getattr(self.runtime, "ComputeCapability", None), "__members__", {})
        return tuple(
            sorted((name.lower() for name in members if name.startswith("SM")), key=lambda name: int(name[2:]))
        )

    def build(
        self,
        model: bytes,
        *,
        precision: Optional[str] = None,
        target: Optional[str] = None,
        cache: Optional[Cache] = None,
        is_detailed: bool = False,
    ) -> BuiltEngine:
        """Build an engine for the GPU that is here, or for a ``target``; raises what `ModelBuilder.build` says.

        ``is_detailed`` keeps which nodes each layer executes.
        """
        if precision is not None and precision not in TYPES:
            raise UnsupportedConfig(
                f"The {self.name} backend runs {', '.join(TYPES)}; asked for {precision}. Its networks are strongly "
                f"typed: what they compute in must be in the model's file"
            )
        if target is not None and target not in self.targets():
            known = ", ".join(self.targets()) or "none, for this version cannot be told a target"
            raise BuildsUnavailable(
                f"{self.name} {self.version()} builds for no GPU called {target!r}; known are: {known}"
            )
        self.log.clear()
        builder = self.runtime.Builder(self.logger)
        builder.max_threads = THREADS
        network, parser = self._parsed(builder, model)
        found = frozenset(dtype.name for dtype in _dtypes(network))
        precision = precision or _precision_of(found)
        _require_types(found, precision)
        config = self._config(builder, target, is_detailed)
        if cache is not None:
            cache.lend(config)
        built = builder.build_serialized_network(network, config)
        del parser  # only now: the network reads the weights that it holds
        if built is None:
            raise ModelRejected(f"building failed: {self.log.reasons()}")
        if cache is not None:
            cache.take_back(config)
        options = dict(
            self._options(config), threads=THREADS, precision=precision, strongly_typed=self._is_strong(network)
        )
        return BuiltEngine(bytes(built), options)

    def values(self, model: bytes) -> Tuple[FrozenSet[str], Dict[str, Tuple[str, Tuple[int, ...]]]]:
        """Return the names of a model's inputs, and numpy's type and the shape of every value that TensorRT names.

        Raises `ModelRejected`.
        """
        self.log.clear()
        network, parser = self._parsed(self.runtime.Builder(self.logger), model)
        inputs = [network.get_input(index) for index in range(network.num_inputs)]
        found = {tensor.name: _described(tensor) for tensor in (*inputs, *_outputs(network))}
        del parser
        known = {name: value for name, value in found.items() if min((0, *value[1])) >= 0}
        return frozenset(tensor.name for tensor in inputs), known

    def _parsed(self, builder: Any, model: bytes) -> Tuple[Any, Any]:
        """Return the network and the parser that keeps its weights."""
        strong = getattr(self.runtime.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
        if strong is None and hasattr(self.runtime.BuilderFlag, "FP16"):  # it would take types for hints
            raise UnsupportedConfig(
                f"{self.name} {self.version()} has no strongly typed networks; TensorRT 10 is the first"
            )
        network = builder.create_network(0 if strong is None else 1 << int(strong))
        parser = self.runtime.OnnxParser(network, self.logger)
        if not parser.parse(model):
            found = [_reason(parser.get_error(index)) for index in range(parser.num_errors)]
            reasons = "; ".join(found) or self.log.reasons()
            raise ModelRejected(f"parsing failed: {reasons}")
        for index in range(network.num_inputs):
            tensor = network.get_input(index)
            if any(size < 0 for size in tensor.shape):
                raise ModelRejected(f"input {tensor.name!r} has shape {tuple(tensor.shape)}; expected fixed sizes")
        return network, parser

    def _config(self, builder: Any, target: Optional[str], is_detailed: bool) -> Any:
        config = builder.create_builder_config()
        if hasattr(self.runtime.BuilderFlag, "TF32"):
            config.clear_flag(self.runtime.BuilderFlag.TF32)
        if is_detailed:
            config.profiling_verbosity = self.runtime.ProfilingVerbosity.DETAILED
        if self.targets():
            config.num_compute_capabilities = 1
            capability = getattr(self.runtime.ComputeCapability, target.upper() if target else CURRENT)
            if not config.set_compute_capability(capability, 0):
                raise BuildsUnavailable(f"{self.name} {self.version()} refuses to build for {capability.name}")
        return config

    def _is_strong(self, network: Any) -> bool:
        """Read back whether types are those of the file; a TensorRT without a flag for it knows nothing else."""
        strong = getattr(self.runtime.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
        return strong is None or bool(network.get_flag(strong))

    def _options(self, config: Any) -> Dict[str, Any]:
        flag = getattr(self.runtime.BuilderFlag, "TF32", None)
        options = {name: getattr(config, name) for name in READ_BACK if hasattr(config, name)}
        return {
            "tf32": flag is not None and bool(config.get_flag(flag)),
            **{name: int(value) for name, value in options.items()},
        }


def _precision_of(found: FrozenSet[str]) -> str:
    """Return the name for what a network computes in; raises `ModelRejected` where there is none."""
    reduced = found & REDUCED
    names = [precision for precision, types in TYPES.items() if reduced == types]
    if not names:
        raise ModelRejected(f"it computes in {', '.join(sorted(reduced))}; expected one of {', '.join(TYPES)}")
    return names[0]


def _require_types(found: FrozenSet[str], precision: str) -> None:
    """Raise `UnsupportedConfig` unless a network that computes in ``found`` is of that precision."""
    needed = NEEDED.get(precision)
    if found & (REDUCED - TYPES[precision]) or (needed and needed not in found):
        raise UnsupportedConfig(
            f"asked for {precision}, but TensorRT runs a model in its file's own types, and here these are "
            f"{', '.join(sorted(found))}. Give models in {precision}, or ask for the precision they are in"
        )


def _dtypes(network: Any) -> Iterable[Any]:
    return (tensor.dtype for tensor in _outputs(network))


def _outputs(network: Any) -> Iterable[Any]:
    for index in range(network.num_layers):
        layer = network.get_layer(index)
        for output in range(layer.num_outputs):
            yield layer.get_output(output)


def _described(tensor: Any) -> Tuple[str, Tuple[int, ...]]:
    return NUMPY.get(tensor.dtype.name, tensor.dtype.name.lower()), tuple(tensor.shape)


def _reason(error: Any) -> str:
    """Return what the parser says of one error, without the place in its own source."""
    named: List[str] = [
        str(tell()) for tell in (getattr(error, name, None) for name in ("node_name", "node_operator")) if tell
    ]
    node = " ".join(part for part in named if part)
    if not node and error.node() >= 0:
        node = f"number {error.node()}"
    return f"node {node}: {error.desc()}" if node else str(error.desc())
