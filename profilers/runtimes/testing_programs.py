"""What every backend must do with programs of several models, as tests; and the models to test it with.

Subclass `ProgramContract` beside `BackendContract` to test a backend of your own. Needs pytest and onnx.
"""

# ruff: noqa: D102  (the name of a test is its sentence)

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Dict, Sequence, Tuple

import numpy as np
import pytest

from ..errors import ModelRejected
from ..run_config import RunConfig
from ..timing.program_part import ProgramPart
from .backend import Backend, Executable
from .program import load_program

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = Dict[str, NDArray[Any]]
    Value = Tuple[str, str, Tuple[int, ...]]  # name, type, shape
    Node = Tuple[str, Sequence[str], str, Dict[str, Any]]  # operator, inputs, output, attributes

WIDTH, TOKENS, STEPS = 4, 3, 5
TABLE = np.linspace(-1.0, 1.0, 2 * WIDTH, dtype=np.float32).reshape(2, WIDTH)
STATE: Value = ("total", "float32", (1, WIDTH))
MEMORY: Value = ("memory", "float32", (1, TOKENS, WIDTH))


def small_model(nodes: Sequence[Node], inputs: Sequence[Value], outputs: Sequence[Value], **constants: Any) -> bytes:
    """Return ONNX bytes; ``constants`` are arrays by name."""
    from onnx import helper, numpy_helper

    def info(value: Value) -> Any:
        name, dtype, shape = value
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), list(shape))

    graph = helper.make_graph(
        [helper.make_node(kind, list(taken), [made], **attributes) for kind, taken, made, attributes in nodes],
        "small",
        [info(value) for value in inputs],
        [info(value) for value in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


def encoder_model(memory: str = "memory") -> bytes:
    """Return a model of ids: ``memory`` are their rows of a table, ``mask`` is where they are ones."""
    return small_model(
        [
            ("Gather", ["table", "input"], memory, {"axis": 0}),
            ("Equal", ["input", "one"], "mask", {}),
            ("Neg", [memory], "output", {}),
        ],
        [("input", "int64", (1, TOKENS))],
        [("output", "float32", MEMORY[2]), (memory, "float32", MEMORY[2]), ("mask", "bool", (1, TOKENS))],
        table=TABLE,
        one=np.array(1),
    )


def next_id(name: str) -> Value:
    """Return the output that feeds the input ``name``, one whole number."""
    return (f"{name}.next", "int64", (1, 1))


def step_model(*, taken: Value = STATE, given: Value = STATE, memory: Value = MEMORY) -> bytes:
    """Return a decoder's step: id, position, memory, mask and the state ``taken`` to logits and the same once more."""
    return small_model(
        [
            ("Cast", ["mask"], "counted", {"to": 1}),
            ("Unsqueeze", ["counted", "axis"], "row", {}),
            ("MatMul", ["row", "memory"], "rows", {}),
            ("ReduceSum", ["rows", "axis"], "read", {"keepdims": 0}),
            ("Cast", ["input"], "id", {"to": 1}),
            ("Add", ["read", "id"], "moved", {}),
            ("Add", ["moved", taken[0]], "output", {}),
            ("Mul", ["output", "half"], "halved", {}),
            ("Reshape", ["halved", "shape"], f"{given[0]}.next", {}),
            ("Add", ["position", "one"], "position.next", {}),
            ("ArgMax", ["output"], "best", {"axis": 1, "keepdims": 1}),
            ("Add", ["best", "position"], "input.next", {}),
        ],
        [("input", "int64", (1, 1)), memory, ("mask", "bool", (1, TOKENS)), ("position", "int64", (1, 1)), taken],
        [("output", "float32", (1, WIDTH)), (f"{given[0]}.next", *given[1:]), *map(next_id, ("position", "input"))],
        axis=np.array([1]),
        half=np.array(0.5, np.float32),
        one=np.array(1),
        shape=np.array(given[2]),
    )


def decoded_by_hand(ids: NDArray[np.int64], steps: int) -> Arrays:
    """Return what the two models end on, computed by numpy: ``ids`` (1, tokens), then a loop of steps."""
    memory, mask = TABLE[ids], ids == 1
    token, position, total = np.zeros((1, 1), np.int64), np.zeros((1, 1), np.int64), np.zeros((1, WIDTH), np.float32)
    for _ in range(steps):
        output = (mask.astype(np.float32)[:, None] @ memory)[:, 0] + token.astype(np.float32) + total
        token, position, total = output.argmax(axis=1, keepdims=True) + position, position + 1, output * np.float32(0.5)
    return {"output": output, "total.next": total, "position.next": position, "input.next": token}


def decoder(encoder: bytes = b"", step: bytes = b"", runs: int = STEPS) -> Tuple[ProgramPart, ...]:
    """Return the program of an encoder and ``runs`` steps, each given or the one above."""
    return (
        ProgramPart("encoder", encoder or encoder_model()),
        ProgramPart("decoder_step", step or step_model(), runs),
    )


class ProgramContract:
    """Tests that every backend passes; subclass it and override the fixture."""

    @pytest.fixture
    def backend(self) -> Backend:
        """Return the backend under test; skip where its runtime is missing."""
        raise NotImplementedError("override the backend fixture")

    def load(self, backend: Backend, *parts: ProgramPart) -> Executable:
        return load_program(backend, parts, RunConfig(backend.device))

    @pytest.mark.parametrize("steps", [1, 2, STEPS])
    def test_a_pass_is_what_running_the_parts_by_hand_gives(self, backend: Backend, steps: int) -> None:
        ids = np.array([[1, 0, 1]])
        with self.load(backend, *decoder(runs=steps)) as program:
            program.elapsed_ns(2)  # leaves nothing behind
            ended = program.run({"encoder.input": ids})
        for name, value in decoded_by_hand(ids, steps).items():
            np.testing.assert_allclose(ended[f"decoder_step.{name}"], value, rtol=1e-5)

    def test_a_part_alone_feeds_itself(self, backend: Backend) -> None:
        step = small_model(
            [("Add", ["count", "one"], "count.next", {}), ("Neg", ["count"], "output", {})],
            [("count", "float32", (1, 2))],
            [("count.next", "float32", (1, 2)), ("output", "float32", (1, 2))],
            one=np.array(1.0, np.float32),
        )
        with self.load(backend, ProgramPart("step", step, runs=7)) as program:
            ended = program.run({})
        np.testing.assert_array_equal(ended["step.output"], [[-6.0, -6.0]])

    def test_more_runs_and_more_passes_take_longer(self, backend: Backend) -> None:
        with self.load(backend, *decoder(runs=1)) as short, self.load(backend, *decoder(runs=60)) as long:
            short.elapsed_ns(5), long.elapsed_ns(5)
            assert 0 < short.elapsed_ns(20) < long.elapsed_ns(20) < long.elapsed_ns(400)

    def test_says_its_inputs_and_options_as_a_model_does(self, backend: Backend) -> None:
        config = RunConfig(backend.device)
        with self.load(backend, *decoder()) as program, backend.load(encoder_model(), config) as model:
            assert dict(program.input_shapes) == {
                "encoder.input": (1, TOKENS),
                "decoder_step.input": (1, 1),
                "decoder_step.position": (1, 1),
                "decoder_step.total": (1, WIDTH),
            }
            assert program.options["threads"] == 1
            assert json.loads(json.dumps(program.options)) == program.options == model.options
            assert program.idles_quietly == model.idles_quietly

    def test_refuses_a_state_that_nothing_takes(self, backend: Backend) -> None:
        stray = step_model(given=("sum", "float32", (1, WIDTH)))
        with pytest.raises(ModelRejected, match=r"output 'sum\.next' and no input 'sum'.*inputs are .*total"):
            self.load(backend, *decoder(step=stray))

    def test_refuses_an_input_that_nothing_feeds(self, backend: Backend) -> None:
        with pytest.raises(ModelRejected, match=r"nothing feeds the input 'memory' of part 'decoder_step'.*keys"):
            self.load(backend, *decoder(encoder=encoder_model("keys")))

    def test_refuses_a_state_of_another_shape(self, backend: Backend) -> None:
        bent = step_model(given=("total", "float32", (1, 1, WIDTH)))
        with pytest.raises(ModelRejected, match=r"'total.next' is float32 of shape \(1, 1, 4\); the input 'total'"):
            self.load(backend, *decoder(step=bent))

    def test_refuses_a_value_of_another_shape_from_an_earlier_part(self, backend: Backend) -> None:
        wide = step_model(memory=("memory", "float32", (1, TOKENS, 1)))
        with pytest.raises(ModelRejected, match=r"'memory' is float32 of shape \(1, 3, 4\).*shape \(1, 3, 1\)"):
            self.load(backend, *decoder(step=wide))

    def test_refuses_what_is_no_model(self, backend: Backend) -> None:
        with pytest.raises(ModelRejected):
            self.load(backend, *decoder(step=b"this is not ONNX"))

    def test_refuses_an_input_that_it_does_not_have(self, backend: Backend) -> None:
        stray = {"input": np.zeros((1, TOKENS), np.int64)}
        with self.load(backend, *decoder()) as program, pytest.raises(ModelRejected, match=r"no input 'input'.*enc"):
            program.run(stray)

    def test_closes_twice_without_complaint(self, backend: Backend) -> None:
        program = self.load(backend, *decoder())
        program.close()
        program.close()
