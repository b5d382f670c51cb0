"""An engine on the GPU: inputs bound once, one stream, and one inference captured as a CUDA graph.

Times are the GPU's own: events before and after ``loops`` launches on one stream. A graph, because launching the
kernels of a small layer one by one takes the host longer than the GPU takes to run them; where TensorRT cannot be
captured, inferences are enqueued one by one, and ``options`` say so. Nothing is copied inside a timed block.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Tuple

import numpy as np

from ...errors import GpuError, GpuLost, ModelRejected
from ..backend import synthetic_input
from ..closing import Closing
from ..ranges import NO_RANGES, Ranges
from .cuda import TO_DEVICE, TO_HOST, Cuda

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = Dict[str, NDArray[Any]]

DTYPES = {
    "FLOAT": "float32",
    "HALF": "float16",
    "INT8": "int8",
    "UINT8": "uint8",
    "INT32": "int32",
    "INT64": "int64",
    "BOOL": "bool",
}
ROOMY = 0.5  # of the GPU's memory free: then models are kept on it between visits


@dataclass(frozen=True)
class BoundTensor:
    """An input or output and where it lies on the GPU."""

    name: str
    is_input: bool
    shape: Tuple[int, ...]
    dtype: np.dtype[Any]
    address: int

    @property
    def size_bytes(self) -> int:
        """How much memory it takes."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize


class GpuExecutable(Closing):
    """A deserialised engine and its execution context, with device memory for all its inputs and outputs."""

    def __init__(
        self,
        cuda: Cuda,
        engine: Any,
        context: Any,
        options: Mapping[str, Any],
        *,
        ranges: Ranges = NO_RANGES,
        is_captured: bool = True,
    ) -> None:
        """Bind, warm up and capture; raises `ModelRejected` or `GpuError`, with everything released.

        ``ranges`` are those of the whole numbers that the model takes.
        """
        self._cuda = cuda
        self._engine, self._context = engine, context
        self._held = ExitStack()  # what to release, the last first
        self._begin: Callable[[int], None] = self._enqueue  # so many inferences, on the stream
        self._is_bound = False
        try:
            self._stream = self._hold(cuda.create_stream(), cuda.destroy_stream)
            self._start = self._hold(cuda.create_event(), cuda.destroy_event)
            self._end = self._hold(cuda.create_event(), cuda.destroy_event)
            self._tensors = [self._bound(engine.get_tensor_name(index)) for index in range(engine.num_io_tensors)]
            taken = (t for t in self._tensors if t.is_input)
            self.inputs: Arrays = {t.name: synthetic_input(t.shape, t.dtype, ranges.get(t.name)) for t in taken}
            self.input_shapes: Dict[str, Tuple[int, ...]] = {name: value.shape for name, value in self.inputs.items()}
            self._held.callback(self._forget_engine)  # before the memory that it is bound to
            self._upload(self.inputs)
            self._enqueue(1)  # TensorRT finishes setting up, and a model that cannot run fails here
            cuda.synchronise(self._stream)
            is_captured = is_captured and self._captured()
        except BaseException:
            self.close()
            raise
        self.options: Dict[str, Any] = dict(options, cuda_graph=is_captured)
        free_bytes, total_bytes = cuda.memory_bytes()
        # The host waits inside calls only; but a GPU has no swap, and what is kept must not crowd the others out.
        self.idles_quietly = free_bytes > ROOMY * total_bytes

    def elapsed_ns(self, loops: int) -> int:
        """Run ``loops`` inferences on the bound inputs and return the nanoseconds that the GPU took."""
        if not self._is_bound:
            self._upload(self.inputs)
        self._cuda.record(self._start, self._stream)
        self._begin(loops)
        self._cuda.record(self._end, self._stream)
        return self._cuda.elapsed_ns(self._start, self._end)

    def run(self, inputs: Arrays) -> Arrays:
        """Return the outputs for ``inputs``, by name; raises `ModelRejected` if they do not fit."""
        if inputs.keys() != self.inputs.keys():
            raise ModelRejected(f"the engine has the inputs {sorted(self.inputs)}; it was given {sorted(inputs)}")
        for name, value in inputs.items():
            bound = self.inputs[name]
            if (value.shape, value.dtype) != (bound.shape, bound.dtype):
                raise ModelRejected(
                    f"the input {name!r} is {bound.dtype} of shape {bound.shape}; "
                    f"it was given {value.dtype} of shape {value.shape}"
                )
        self._upload(inputs)
        self._begin(1)
        outputs = {t.name: np.empty(t.shape, t.dtype) for t in self._tensors if not t.is_input}
        for tensor in (t for t in self._tensors if not t.is_input):
            place = outputs[tensor.name].ctypes.data
            self._cuda.copy(place, tensor.address, tensor.size_bytes, kind=TO_HOST, stream=self._stream)
        self._cuda.synchronise(self._stream)
        return outputs

    def profiled_ns(self, profiler: Any, loops: int) -> int:
        """Run ``loops`` inferences, not captured ones, with a profiler of TensorRT's; return the nanoseconds taken."""
        self._context.profiler = profiler
        return self.elapsed_ns(loops)

    def information(self, kind: Any) -> str:
        """Return what TensorRT's inspector says of the engine, in a format of its own enumeration."""
        return str(self._engine.create_engine_inspector().get_engine_information(kind))

    def close(self) -> None:
        """Release the engine and all device memory."""
        self._held.close()

    def _hold(self, handle: int, release: Callable[[int], None]) -> int:
        self._held.callback(release, handle)
        return handle

    def _forget_engine(self) -> None:
        self._context = self._engine = None  # the context first: it needs its engine

    def _bound(self, name: str) -> BoundTensor:
        engine = self._engine
        shape, kind = tuple(engine.get_tensor_shape(name)), engine.get_tensor_dtype(name).name
        if kind not in DTYPES:
            raise ModelRejected(f"tensor {name!r} is {kind}; expected one of {', '.join(DTYPES)}")
        if engine.get_tensor_location(name).name != "DEVICE":
            raise ModelRejected(f"TensorRT reads {name!r} as a shape, in the host's memory; expected fixed shapes")
        is_input = engine.get_tensor_mode(name).name == "INPUT"
        tensor = BoundTensor(name, is_input, shape, np.dtype(DTYPES[kind]), 0)
        address = self._hold(self._cuda.allocate(tensor.size_bytes), self._cuda.free)
        if not self._context.set_tensor_address(name, address):
            raise ModelRejected(f"TensorRT refuses device memory for {name!r}")
        return BoundTensor(name, is_input, shape, tensor.dtype, address)

    def _upload(self, inputs: Arrays) -> None:
        """Copy inputs to the GPU and wait; the arrays may change afterwards."""
        kept: List[NDArray[Any]] = []
        for tensor in self._tensors:
            if tensor.is_input:
                kept.append(np.ascontiguousarray(inputs[tensor.name]))
                place = kept[-1].ctypes.data
                self._cuda.copy(tensor.address, place, tensor.size_bytes, kind=TO_DEVICE, stream=self._stream)
        self._cuda.synchronise(self._stream)
        self._is_bound = inputs is self.inputs

    def _captured(self) -> bool:
        """Capture one inference as a graph and launch it once, or say that it cannot be."""
        can = getattr(self._context, "is_stream_capturable", None)  # TensorRT for RTX compiles kernels while running
        if can is not None and not can(self._stream):
            return False
        cuda = self._cuda
        try:
            cuda.begin_capture(self._stream)
            try:
                self._enqueue(1)
            finally:
                graph = cuda.end_capture(self._stream)
            self._hold(graph, cuda.destroy_graph)
            instance = self._hold(cuda.instantiate(graph), cuda.destroy_instance)
            cuda.launch(instance, self._stream)
            cuda.synchronise(self._stream)
        except GpuLost:
            raise
        except (GpuError, ModelRejected):
            return False
        self._begin = lambda loops: cuda.launch(instance, self._stream, times=loops)
        return True

    def _enqueue(self, loops: int) -> None:
        enqueue, stream = self._context.execute_async_v3, self._stream
        for _ in range(loops):
            if not enqueue(stream):
                raise ModelRejected("TensorRT refused to enqueue the model")
