"""A scripted backend to test everything else with; it needs neither pytest nor onnx, so that workers start quickly.

Nothing here is random, and nothing takes time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Sequence, Tuple

import numpy as np

from .errors import ModelRejected, UnsupportedConfig
from .run_config import RunConfig
from .runtimes.backend import synthetic_input
from .runtimes.closing import Closing
from .timing.probe import Probe
from .timing.program_part import ProgramPart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = Dict[str, NDArray[Any]]

AFFINE_SHAPE = (1, 16)


def affine_weights() -> Tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the weights, (16, 16), and the bias, (16,), of the model of contracts."""
    values = np.linspace(-0.5, 0.5, 17 * 16, dtype=np.float32).reshape(17, 16)
    return np.ascontiguousarray(values[:16]), np.ascontiguousarray(values[16])


def affine_outputs(inputs: Arrays) -> Arrays:
    """Return what `affine_model` computes, computed by numpy."""
    weight, bias = affine_weights()
    return {"y": np.maximum(inputs["x"].reshape(AFFINE_SHAPE) @ weight + bias, 0.0)}


class ScriptedExecutable(Closing):
    """An executable whose clock follows a script: microseconds per inference, one value a block; the last repeats.

    ``calls`` collects the loops of every block asked for.
    """

    def __init__(
        self,
        script_us: Sequence[float],
        *,
        config: Optional[RunConfig] = None,
        function: Callable[[Arrays], Arrays] = affine_outputs,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        config = config or RunConfig()
        self.inputs: Arrays = {"x": synthetic_input(AFFINE_SHAPE, np.dtype(np.float32))}
        self.input_shapes: Dict[str, Tuple[int, ...]] = {"x": AFFINE_SHAPE}
        self.options: Dict[str, Any] = {"threads": config.threads, "precision": config.precision}
        self.idles_quietly = True
        self.calls: List[int] = []
        self._script_us = script_us
        self._function = function
        self._on_close = on_close

    def elapsed_ns(self, loops: int) -> int:
        """Return the next scripted time for ``loops`` inferences."""
        position = min(len(self.calls), len(self._script_us) - 1)
        self.calls.append(loops)
        return round(self._script_us[position] * 1e3 * loops)

    def run(self, inputs: Arrays) -> Arrays:
        """Return the outputs for ``inputs``."""
        try:
            return self._function(inputs)
        except (KeyError, ValueError) as exc:
            raise ModelRejected(f"the scripted model cannot run on these inputs: {exc!r}") from exc

    def close(self) -> None:
        """Tell whoever asked to know."""
        self._on_close()


class ScriptedProbe:
    """A probe that reads what its script says, in microseconds; the last repeats. Nothing ever interrupts it."""

    def __init__(self, script_us: Sequence[float] = (20.0,)) -> None:
        self._script_us = list(script_us)

    def read_us(self) -> float:
        """Return the next scripted reading."""
        return self._script_us.pop(0) if len(self._script_us) > 1 else self._script_us[0]

    def switches(self) -> Optional[int]:
        """Return that there were none."""
        return 0


class FakeBackend:
    """A backend whose times come from ``script``: model bytes to microseconds, or `ModelRejected`.

    ``loaded`` collects the models loaded; ``most_alive`` is how many were open at once. ``name`` is what it is
    registered as.
    """

    device = "cpu"
    install_command = "nothing to install"

    def __init__(self, script: Callable[[bytes], Sequence[float]], name: str = "fake") -> None:
        self.name = name
        self.loaded: List[bytes] = []
        self.most_alive = 0
        self._alive = 0
        self._script = script

    def version(self) -> str:
        """Return a constant."""
        return "1.0"

    def versions(self) -> Dict[str, str]:
        """Return a constant."""
        return {self.name: "1.0"}

    def open_probe(self) -> Optional[Probe]:
        """Return a probe of a core that nobody else uses, as scripted times are those of one."""
        return ScriptedProbe()

    def load(self, model: bytes, config: RunConfig) -> ScriptedExecutable:
        """Return an executable that follows the script of ``model``."""
        if config.device != "cpu" or config.precision != "fp32":
            raise UnsupportedConfig(f"fake runs fp32 on the cpu, not {config.precision} on {config.device!r}")
        executable = ScriptedExecutable(self._script(model), config=config, on_close=self._closed)
        self._opened(model)
        return executable

    def load_program(self, parts: Sequence[ProgramPart], config: RunConfig) -> ScriptedExecutable:
        """Return an executable that takes what the parts' scripts begin with, as often as they run."""
        total_us = 0.0
        for part in parts:
            with self.load(part.model, config) as executable:
                total_us += part.runs * executable.elapsed_ns(1) / 1e3
        self._opened(b"".join(part.model for part in parts))
        return ScriptedExecutable((total_us,), config=config, on_close=self._closed)

    def _opened(self, model: bytes) -> None:
        self.loaded.append(model)
        self._alive += 1
        self.most_alive = max(self.most_alive, self._alive)

    def _closed(self) -> None:
        self._alive -= 1
