"""The few calls of the CUDA runtime that timing needs, by ctypes: memory, one stream, events, graphs.

So no CUDA package for Python is needed, only the library, which comes with the driver's toolkit or a small wheel. Every
call is checked. Errors after which CUDA refuses everything else in this process are told apart (`GpuLost`): whoever
runs plans then starts a new process, instead of blaming every model that follows.
"""

from __future__ import annotations

import ctypes
from typing import Any, Dict, Iterable, List, Optional, Tuple

from ...errors import BackendUnavailable, GpuError, GpuLost
from ...machine.nvidia_libraries import open_each

NAMES = (
    "libcudart.so",
    "libcudart.so.13",
    "libcudart.so.12",
    "libcudart.so.11.0",
    "cudart64_13.dll",
    "cudart64_12.dll",
)
PACKAGED = ("nvidia/*/lib/libcudart.so.*", "nvidia/*/bin/*/cudart64_*.dll", "nvidia/*/bin/cudart64_*.dll")
INSTALL_COMMAND = "pip install nvidia-cuda-runtime"
DRIVER = "NVIDIA's driver, from https://www.nvidia.com/drivers"
TO_DEVICE, TO_HOST = 1, 2  # cudaMemcpyKind
NON_BLOCKING = 1  # a stream that does not wait for the default one
THREAD_LOCAL = 1  # a capture that other threads' calls do not disturb
MAJOR, MINOR = 75, 76  # cudaDeviceAttr of the compute capability
LOST = frozenset((214, 220, 226, 700, 702, 709, 710, *range(714, 720), 721, 810))  # CUDA: end the process after these
BUS_ID_BYTES = 32


class Cuda:
    """The CUDA runtime on one device, every call checked; handles are plain integers."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self.is_lost = False
        for name in ("cudaGetErrorName", "cudaGetErrorString"):
            getattr(library, name).restype = ctypes.c_char_p

    def version(self) -> str:
        """Return the version of the library, such as 13.0."""
        return _dotted(self._number("cudaRuntimeGetVersion"))

    def driver_version(self) -> str:
        """Return the newest version of CUDA that the driver serves; 0.0 without a driver."""
        return _dotted(self._number("cudaDriverGetVersion"))

    def devices(self) -> int:
        """Return how many GPUs there are; raises `GpuError` without a driver."""
        return self._number("cudaGetDeviceCount")

    def compute_capability(self) -> str:
        """Return the GPU's compute capability, such as 8.6."""
        numbers = [
            self._number("cudaDeviceGetAttribute", ctypes.c_int(code), ctypes.c_int(0)) for code in (MAJOR, MINOR)
        ]
        return f"{numbers[0]}.{numbers[1]}"

    def bus_id(self) -> str:
        """Return where the GPU sits, by which NVML finds the same one."""
        text = ctypes.create_string_buffer(BUS_ID_BYTES)
        self._call("cudaDeviceGetPCIBusId", text, ctypes.c_int(BUS_ID_BYTES), ctypes.c_int(0))
        return text.value.decode("ascii", "replace")

    def require_alive(self) -> None:
        """Raise `GpuLost` if an earlier error has made the GPU useless to this process."""
        self.memory_bytes()

    def memory_bytes(self) -> Tuple[int, int]:
        """Return the GPU's free and total memory."""
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        self._call("cudaMemGetInfo", ctypes.byref(free), ctypes.byref(total))
        return free.value, total.value

    def allocate(self, size_bytes: int) -> int:
        """Return the address of new device memory."""
        return self._handle("cudaMalloc", ctypes.c_size_t(max(1, size_bytes)))

    def free(self, address: int) -> None:
        """Release device memory."""
        self._release("cudaFree", address)

    def copy(self, target: int, source: int, size_bytes: int, *, kind: int, stream: int) -> None:
        """Begin a copy on a stream; ``kind`` is TO_DEVICE or TO_HOST."""
        addresses = (ctypes.c_void_p(target), ctypes.c_void_p(source), ctypes.c_size_t(size_bytes))
        self._call("cudaMemcpyAsync", *addresses, ctypes.c_int(kind), ctypes.c_void_p(stream))

    def create_stream(self) -> int:
        """Return a new stream."""
        return self._handle("cudaStreamCreateWithFlags", ctypes.c_uint(NON_BLOCKING))

    def synchronise(self, stream: int) -> None:
        """Wait for all that was begun on a stream."""
        self._call("cudaStreamSynchronize", ctypes.c_void_p(stream))

    def destroy_stream(self, stream: int) -> None:
        """Release a stream."""
        self._release("cudaStreamDestroy", stream)

    def create_event(self) -> int:
        """Return a new event."""
        return self._handle("cudaEventCreate")

    def record(self, event: int, stream: int) -> None:
        """Let an event happen when a stream gets there."""
        self._call("cudaEventRecord", ctypes.c_void_p(event), ctypes.c_void_p(stream))

    def elapsed_ns(self, start: int, end: int) -> int:
        """Wait for ``end`` and return the nanoseconds between two events; CUDA resolves about 500."""
        self._call("cudaEventSynchronize", ctypes.c_void_p(end))
        elapsed_ms = ctypes.c_float()
        self._call("cudaEventElapsedTime", ctypes.byref(elapsed_ms), ctypes.c_void_p(start), ctypes.c_void_p(end))
        return round(elapsed_ms.value * 1e6)

    def destroy_event(self, event: int) -> None:
        """Release an event."""
        self._release("cudaEventDestroy", event)

    def begin_capture(self, stream: int) -> None:
        """Collect what follows on a stream into a graph, instead of running it."""
        self._call("cudaStreamBeginCapture", ctypes.c_void_p(stream), ctypes.c_int(THREAD_LOCAL))

    def end_capture(self, stream: int) -> int:
        """Return the graph collected; raises `GpuError` if something could not be."""
        graph = ctypes.c_void_p()
        self._call("cudaStreamEndCapture", ctypes.c_void_p(stream), ctypes.byref(graph))
        return graph.value or 0

    def instantiate(self, graph: int) -> int:
        """Return a graph made ready to launch."""
        return self._handle("cudaGraphInstantiateWithFlags", ctypes.c_void_p(graph), ctypes.c_ulonglong(0))

    def launch(self, instance: int, stream: int, *, times: int = 1) -> None:
        """Begin a graph on a stream, so many times in a row."""
        launch = self._library.cudaGraphLaunch  # nothing but the call itself in the loop: it is timed
        graph, queue = ctypes.c_void_p(instance), ctypes.c_void_p(stream)
        for _ in range(times):
            code = launch(graph, queue)
            if code:
                self._raise("cudaGraphLaunch", code)

    def destroy_graph(self, graph: int) -> None:
        """Release a graph."""
        self._release("cudaGraphDestroy", graph)

    def destroy_instance(self, instance: int) -> None:
        """Release a graph made ready to launch."""
        self._release("cudaGraphExecDestroy", instance)

    def forget_error(self) -> None:
        """Clear the error that CUDA would report again at the next call, after one that was expected."""
        self._library.cudaGetLastError()

    def _number(self, function: str, *arguments: Any) -> int:
        number = ctypes.c_int()
        self._call(function, ctypes.byref(number), *arguments)
        return number.value

    def _handle(self, function: str, *arguments: Any) -> int:
        handle = ctypes.c_void_p()
        self._call(function, ctypes.byref(handle), *arguments)
        return handle.value or 0

    def _release(self, function: str, handle: int) -> None:
        if not self.is_lost:  # else nothing is left to release, and CUDA would only complain
            self._call(function, ctypes.c_void_p(handle))

    def _call(self, function: str, *arguments: Any) -> None:
        called = getattr(self._library, function, None)
        if called is None:
            raise GpuError(f"this libcudart has no {function}; expected that of CUDA 11.4 or later")
        code = called(*arguments)
        if code:
            self._raise(function, code)

    def _raise(self, function: str, code: int) -> None:
        name, text = (
            (getattr(self._library, told)(ctypes.c_int(code)) or b"?").decode("ascii", "replace")
            for told in ("cudaGetErrorName", "cudaGetErrorString")
        )
        if code in LOST:
            self.is_lost = True
            raise GpuLost(f"{function} failed: {name} ({text}); this process cannot use the GPU any more")
        self.forget_error()
        raise GpuError(f"{function} failed: {name} ({text})")


def open_cuda(backend: str, libraries: Optional[Iterable[Any]] = None) -> Cuda:
    """Return CUDA on the first visible GPU; raises `BackendUnavailable` where the library or a GPU is missing.

    Of several CUDA runtimes, the first that the driver can serve: a newer one may be installed beside it.
    """
    reasons: List[str] = []
    for library in open_each(NAMES, packaged=PACKAGED) if libraries is None else libraries:
        cuda = Cuda(library)
        try:
            if cuda.devices():
                return cuda
            reasons.append("CUDA finds none")
        except GpuError as exc:
            reasons.append(str(exc))
    if not reasons:
        raise BackendUnavailable(
            f"The backend {backend!r} needs the CUDA runtime, but no libcudart was found. Install it: "
            f"{INSTALL_COMMAND}",
            install_command=INSTALL_COMMAND,
        )
    raise BackendUnavailable(
        f"The backend {backend!r} times on an NVIDIA GPU, and no NVIDIA GPU or driver was found here: {reasons[0]}. "
        f"Where there is a GPU, install {DRIVER}",
        install_command=DRIVER,
    )


def versions_of(cuda: Cuda) -> Dict[str, str]:
    """Return what of CUDA may change a time."""
    return {
        "cuda_runtime": cuda.version(),
        "cuda_driver": cuda.driver_version(),
        "compute_capability": cuda.compute_capability(),
    }


def _dotted(number: int) -> str:
    """Return a version that CUDA gives as 13050 as 13.5."""
    return f"{number // 1000}.{number % 1000 // 10}"
