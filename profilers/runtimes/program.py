"""A program: the models that make up one network, run as whoever ships them runs them.

A pass runs the first part as often as it says, then the second. Values flow by name and by nothing else: an output
``x.next`` becomes the input ``x`` of the part's next run, an output ``x`` the input ``x`` of later parts. The loop is
plain Python over numpy arrays, a call of `Executable.run` a run, because that is what a decoder around such models is:
so a pass takes what a user waits for, with the loop and the copies at the models' borders. A pass begins with zeros in
what only the part itself feeds (caches, positions), and with the synthetic input where nothing does.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Protocol, Sequence, Tuple, runtime_checkable

from ..errors import ModelRejected
from ..run_config import RunConfig
from ..timing.program_part import ProgramPart
from .backend import Backend, Executable
from .closing import Closing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = Dict[str, NDArray[Any]]

INPUT = "input"  # a part's main input, which nothing need feed
NEXT = ".next"  # ends the name of an output that the part's next run takes in


@runtime_checkable
class ProgramLoader(Protocol):
    """What a backend offers besides when programs run otherwise on it than by a loop in Python; it need not."""

    def load_program(self, parts: Sequence[ProgramPart], config: RunConfig) -> Executable:
        """Compile the parts into one executable; raises what `Backend.load` raises."""


def load_program(backend: Backend, parts: Sequence[ProgramPart], config: RunConfig) -> Executable:
    """Compile every part and wire them; raises what `Backend.load` raises, `ModelRejected` where they do not fit."""
    if isinstance(backend, ProgramLoader):
        return backend.load_program(parts, config)
    loaded: List[Tuple[ProgramPart, Executable]] = []
    try:
        for part in parts:
            loaded.append((part, backend.load(part.model, config)))
        return Program(loaded)
    except BaseException:
        for _, executable in loaded:
            executable.close()
        raise


class Program(Closing):
    """An executable made of executables; inputs and outputs are called PART.NAME."""

    def __init__(self, parts: Sequence[Tuple[ProgramPart, Executable]]) -> None:
        """Wire the parts, each of which is run once; raises `ModelRejected` where what flows does not fit."""
        self._stages: List[_Stage] = []
        given: Arrays = {}
        for part, executable in parts:
            self._stages.append(_Stage(part, executable, given))
            given = dict(given, **self._stages[-1].first_given)
        self.inputs: Arrays = {
            f"{stage.name}.{name}": value for stage in self._stages for name, value in stage.start.items()
        }
        self.input_shapes: Dict[str, Tuple[int, ...]] = {name: value.shape for name, value in self.inputs.items()}
        self.options = merged_options({stage.name: stage.executable.options for stage in self._stages})
        self.idles_quietly = all(stage.executable.idles_quietly for stage in self._stages)

    def elapsed_ns(self, loops: int) -> int:
        """Make ``loops`` passes and return the nanoseconds taken."""
        starts = [stage.start for stage in self._stages]
        start = time.perf_counter_ns()
        for _ in range(loops):
            self._pass(starts)
        return time.perf_counter_ns() - start

    def run(self, inputs: Arrays) -> Arrays:
        """Make a pass that begins with ``inputs``, elsewhere as ever, and return the outputs of all parts' last runs.

        Raises `ModelRejected` for an input that the program does not have, or that does not fit.
        """
        unknown = sorted(set(inputs) - set(self.inputs))
        if unknown:
            raise ModelRejected(f"the program has no input {unknown[0]!r}; it has {', '.join(sorted(self.inputs))}")
        starts = [
            {name: inputs.get(f"{stage.name}.{name}", value) for name, value in stage.start.items()}
            for stage in self._stages
        ]
        ended = zip(self._stages, self._pass(starts))
        return {f"{stage.name}.{name}": value for stage, outputs in ended for name, value in outputs.items()}

    def close(self) -> None:
        """Release all parts."""
        for stage in self._stages:
            stage.executable.close()

    def _pass(self, starts: Sequence[Arrays]) -> List[Arrays]:
        """Run every part; return the outputs of each one's last run."""
        given: Arrays = {}
        ended = []
        for stage, start in zip(self._stages, starts):
            run, states = stage.executable.run, stage.states
            inputs = dict(start)
            for name in stage.fed:
                inputs[name] = given[name]
            outputs = run(inputs)
            for _ in range(stage.runs - 1):
                for name, output in states:
                    inputs[name] = outputs[output]
                outputs = run(inputs)
            for name in stage.gives:
                given[name] = outputs[name]
            ended.append(outputs)
        return ended


class _Stage:
    """A part in its place: what earlier parts feed, what it feeds itself, and what it begins with."""

    def __init__(self, part: ProgramPart, executable: Executable, given: Arrays) -> None:
        import numpy as np

        self.name, self.runs, self.executable = part.name, part.runs, executable
        bound = dict(executable.inputs)
        self.fed = tuple(name for name in bound if name in given)
        for name in self.fed:
            _require_fit(part.name, name, name, given[name], bound[name])
            bound[name] = given[name]
        outputs = executable.run(bound)
        self.states = tuple((name[: -len(NEXT)], name) for name in outputs if name.endswith(NEXT))
        for name, output in self.states:
            if name not in bound:
                raise ModelRejected(
                    f"part {part.name!r} has an output {output!r} and no input {name!r} for it to feed; "
                    f"its inputs are {', '.join(sorted(bound))}"
                )
            _require_fit(part.name, name, output, outputs[output], bound[name])
        own = {name for name, _ in self.states}
        unfed = sorted(set(bound) - own - set(self.fed) - {INPUT})
        if given and unfed:
            raise ModelRejected(
                f"nothing feeds the input {unfed[0]!r} of part {part.name!r}; earlier parts give "
                f"{', '.join(sorted(given))}, and the part itself has no output {unfed[0] + NEXT!r}"
            )
        self.gives = tuple(name for name in outputs if not name.endswith(NEXT))
        self.first_given: Arrays = {name: outputs[name] for name in self.gives}
        self.start: Arrays = {
            name: np.zeros_like(value) if name in own else value
            for name, value in bound.items()
            if name not in self.fed
        }


def _require_fit(part: str, name: str, output: str, value: NDArray[Any], bound: NDArray[Any]) -> None:
    if (value.shape, value.dtype) != (bound.shape, bound.dtype):
        raise ModelRejected(
            f"the output {output!r} is {value.dtype} of shape {value.shape}; the input {name!r} of part {part!r}, "
            f"which it feeds, is {bound.dtype} of shape {bound.shape}"
        )


def merged_options(by_part: Mapping[str, Mapping[str, Any]]) -> Dict[str, Any]:
    """Return the options that all parts report alike under their own names, and the others as PART.OPTION."""
    merged: Dict[str, Any] = {}
    for name in sorted({name for options in by_part.values() for name in options}):
        found = {part: options[name] for part, options in by_part.items() if name in options}
        values = list(found.values())
        if len(found) == len(by_part) and all(value == values[0] for value in values):
            merged[name] = values[0]
        else:
            merged.update({f"{part}.{name}": value for part, value in found.items()})
    return merged
