"""What a runtime must offer to be timed.

A backend compiles a model and runs it in a hot loop; it does not decide how often, how long or in which order: that
is `timing.py`. How one is found by name is `registry.py`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional, Protocol, Tuple, runtime_checkable

from ..errors import OperatorsUnavailable
from ..run_config import RunConfig
from ..timing.probe import Probe

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray

    Arrays = Dict[str, NDArray[Any]]


@dataclass(frozen=True)
class OperatorTime:
    """What a runtime's own profiler says of one operator: ``value_us`` microseconds per inference, on average.

    nodes: the model's nodes that it executes, as far as the runtime tells; none for what the runtime added itself.
    """

    name: str
    kind: str
    value_us: float
    nodes: Tuple[str, ...] = ()


@dataclass(frozen=True)
class OperatorProfile:
    """A model's operators in the order they ran, and how long one inference took while they were profiled.

    Profiling slows a model down, by several times where operators are short, and runtimes count whole microseconds.
    So these times explain and never serve as latencies: only their shares can be compared with anything.
    """

    operators: Tuple[OperatorTime, ...]
    inference_us: float

    def to_json(self) -> Dict[str, Any]:
        """Return the fields as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> OperatorProfile:
        """Return the profile written by `to_json`; KeyError, TypeError or ValueError for anything else."""
        operators = (
            OperatorTime(str(item["name"]), str(item["kind"]), float(item["value_us"]), tuple(map(str, item["nodes"])))
            for item in data["operators"]
        )
        return cls(tuple(operators), float(data["inference_us"]))


class Executable(Protocol):
    """A compiled model, ready to run; also a context manager that closes it."""

    @property
    def input_shapes(self) -> Mapping[str, Tuple[int, ...]]:
        """The shape of each input, by name."""

    @property
    def inputs(self) -> Arrays:
        """The inputs bound once, by name: what `elapsed_ns` runs on, and what a program begins with."""

    @property
    def options(self) -> Mapping[str, Any]:
        """What the runtime says it uses, read back after compilation; has at least ``threads`` and ``precision``."""

    @property
    def idles_quietly(self) -> bool:
        """Whether others can be timed between two calls: it uses no processor then, and leaves a GPU's memory to them.

        Else it is not kept meanwhile.
        """

    def elapsed_ns(self, loops: int) -> int:
        """Run ``loops`` inferences back to back on inputs bound once, and return the monotonic nanoseconds taken."""

    def run(self, inputs: Arrays) -> Arrays:
        """Return the outputs for ``inputs``, by name; for checking values, and for timing within a program only.

        As fast as whoever calls the runtime by hand would have it. The outputs are the caller's: no later run changes
        them. Raises `ModelRejected` for inputs that are missing or do not fit.
        """

    def close(self) -> None:
        """Release the runtime's resources; the executable is not used afterwards."""

    def __enter__(self) -> Executable: ...

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None: ...


class Backend(Protocol):
    """A runtime that turns ONNX bytes into executables."""

    @property
    def name(self) -> str:
        """The name it is asked for by."""

    @property
    def device(self) -> str:
        """The kind of processor that it runs models on, as `RunConfig.device` must say it."""

    @property
    def install_command(self) -> str:
        """The command that installs its runtime."""

    def version(self) -> str:
        """The version of the runtime."""

    def versions(self) -> Dict[str, str]:
        """The version of everything that may change a time: runtime, build, numpy."""

    def load(self, model: bytes, config: RunConfig) -> Executable:
        """Compile ``model`` (ONNX, fixed shapes) for ``config``.

        Raises `UnsupportedConfig`, `ModelRejected` or `FallbackRefused`; never falls back to anything else.
        """


@runtime_checkable
class OperatorProfiler(Protocol):
    """What a backend offers besides when its runtime can profile operators; it need not."""

    def operator_times(self, model: bytes, config: RunConfig, loops: int) -> OperatorProfile:
        """Run ``model`` for ``loops`` inferences, after warming up, with the runtime's own profiler on.

        Raises what `Backend.load` raises.
        """


@runtime_checkable
class KeepsCache(Protocol):
    """What a backend offers besides when its runtime finds things out that the next build should not find anew."""

    def use_cache(self, path: Path) -> None:
        """Take up what the file holds, if it is there and the runtime accepts it, and keep what is found out in it."""

    def save_cache(self) -> None:
        """Write what is not written yet."""


@runtime_checkable
class Conditions(Protocol):
    """What a backend offers besides when its device tells what may disturb a time, as clocks do."""

    def conditions(self) -> Dict[str, Any]:
        """Return what holds at this moment, as JSON can hold it. It explains times and is part of no key."""


@runtime_checkable
class ProbeOpener(Protocol):
    """What a backend offers besides when the processor that this runs on is not what its times depend on."""

    def open_probe(self) -> Optional[Probe]:
        """Return a probe of the device; None to time without one."""


def profile_operators(backend: Backend, model: bytes, config: RunConfig, *, loops: int) -> OperatorProfile:
    """Return what the runtime's profiler says of a model's operators; raises `OperatorsUnavailable` where it has none.

    Raises ValueError for less than one loop, and what `Backend.load` raises.
    """
    if loops < 1:
        raise ValueError(f"loops is {loops}; expected at least 1")
    if not isinstance(backend, OperatorProfiler):
        raise OperatorsUnavailable(
            f"The backend {backend.name!r} cannot profile operators; without them, layers can still be explained"
        )
    return backend.operator_times(model, config, loops)


def synthetic_input(
    shape: Tuple[int, ...], dtype: np.dtype[Any], values: Optional[Tuple[int, int]] = None
) -> NDArray[Any]:
    """Return an input of ``shape``: uniform in [-1, 1] for floats, zeros or ones otherwise (valid as an index).

    ``values`` is the range that a model says its whole numbers have (`ranges.py`): from the first on, below the second.
    The seed is fixed, so two runs, and two backends, time the same numbers.
    """
    import numpy as np

    rng = np.random.default_rng(0)
    if np.issubdtype(dtype, np.floating):
        return rng.uniform(-1.0, 1.0, shape).astype(dtype)
    low, high = values or (0, 2)
    return rng.integers(low, high, shape).astype(dtype)
