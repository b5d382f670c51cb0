"""What every backend must do, as tests; and, from `testing_backend.py`, a scripted one to test everything else with.

Test a backend of your own by subclassing `BackendContract` and overriding its ``backend`` fixture. This is the one
file of the package that needs pytest and onnx; it is not part of what runs on a device. Nothing here is random.
"""

# ruff: noqa: D102  (the name of a test is its sentence)

from __future__ import annotations

import contextlib
import json
import re
import time
from typing import TYPE_CHECKING, Any, Dict, Sequence

import numpy as np
import pytest

from .errors import GraphUnavailable, ModelRejected, OperatorsUnavailable, UnsupportedConfig
from .journal import CHECKSUM, with_checksum
from .run_config import PRECISIONS, RunConfig
from .runtimes.backend import Backend, profile_operators, synthetic_input
from .runtimes.graphs.fused_graph import fused_graph_of
from .runtimes.requirements import check_versions
from .testing_backend import AFFINE_SHAPE, affine_outputs, affine_weights
from .testing_backend import FakeBackend as FakeBackend
from .testing_backend import ScriptedExecutable as ScriptedExecutable
from .testing_backend import ScriptedProbe as ScriptedProbe

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Arrays = Dict[str, NDArray[Any]]

LARGE_AFFINE_SHAPE = (4096, 16)  # so that the operators take microseconds, which is what runtimes count


def sign_journal(path: Path) -> None:
    """Give the lines of an edited journal the checksums of what they say now, as somebody who forges one would."""
    checksum = rb',\s*"%s":\s*"[0-9a-f]{8}"\s*}' % CHECKSUM.encode()
    lines = [re.sub(checksum, b"}", line) for line in path.read_bytes().splitlines()]
    path.write_bytes(b"".join(with_checksum(line) + b"\n" for line in lines))


def affine_model(shape: Sequence[Any] = AFFINE_SHAPE) -> bytes:
    """Return ONNX bytes of y = relu(x @ w + b) for an input of ``shape``, which may hold a name for a free size."""
    from onnx import TensorProto, helper, numpy_helper

    weight, bias = affine_weights()
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "w"], ["xw"], name="layer00.matmul0"),
            helper.make_node("Add", ["xw", "b"], ["z"], name="layer00.add1"),
            helper.make_node("Relu", ["z"], ["y"], name="layer00.relu2"),
        ],
        "affine",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, list(shape))],
        [numpy_helper.from_array(weight, "w"), numpy_helper.from_array(bias, "b")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


class BackendContract:
    """Tests that every backend passes; subclass it and override the fixture."""

    @pytest.fixture
    def backend(self) -> Backend:
        """Return the backend under test; skip where its runtime is missing."""
        raise NotImplementedError("override the backend fixture")

    def test_says_who_it_is(self, backend: Backend) -> None:
        assert backend.name
        assert backend.install_command
        check_versions(backend.name, backend)
        assert all(isinstance(value, str) and value.strip() for value in backend.versions().values())

    def test_computes_what_numpy_computes(self, backend: Backend) -> None:
        inputs = {"x": np.linspace(-1.0, 1.0, 16, dtype=np.float32).reshape(AFFINE_SHAPE)}
        with backend.load(affine_model(), RunConfig(backend.device)) as executable:
            outputs = executable.run(inputs)
        np.testing.assert_allclose(outputs["y"], affine_outputs(inputs)["y"], rtol=1e-4, atol=1e-5)

    def test_more_loops_take_longer(self, backend: Backend) -> None:
        with backend.load(affine_model(), RunConfig(backend.device)) as executable:
            executable.elapsed_ns(10)
            assert 0 < executable.elapsed_ns(10) < executable.elapsed_ns(2_000)

    def test_can_be_timed_after_a_parity_run(self, backend: Backend) -> None:
        with backend.load(affine_model(), RunConfig(backend.device)) as executable:
            executable.run({"x": np.zeros(AFFINE_SHAPE, np.float32)})
            assert executable.elapsed_ns(3) > 0

    def test_reports_the_input_shapes(self, backend: Backend) -> None:
        with backend.load(affine_model(), RunConfig(backend.device)) as executable:
            assert dict(executable.input_shapes) == {"x": AFFINE_SHAPE}

    def test_reads_back_threads_and_precision(self, backend: Backend) -> None:
        with backend.load(affine_model(), RunConfig(backend.device)) as executable:
            assert executable.options["threads"] == 1
            assert executable.options["precision"] == "fp32"

    def test_honours_two_threads_or_refuses_them(self, backend: Backend) -> None:
        config = RunConfig(backend.device, threads=2)
        if backend.device != "cpu":  # threads of the CPU do not compute there
            with pytest.raises(UnsupportedConfig):
                backend.load(affine_model(), config)
            return
        with contextlib.suppress(UnsupportedConfig), backend.load(affine_model(), config) as executable:
            assert executable.options["threads"] == 2

    def test_reports_options_that_json_can_hold(self, backend: Backend) -> None:
        with backend.load(affine_model(), RunConfig(backend.device)) as executable:
            assert json.loads(json.dumps(executable.options)) == executable.options

    @pytest.mark.parametrize("threads", [1, 2])
    def test_uses_no_processor_between_two_calls_if_it_says_so(self, backend: Backend, threads: int) -> None:
        try:
            loaded = backend.load(affine_model(), RunConfig(backend.device, threads=threads))
        except UnsupportedConfig:
            assert threads > 1
            pytest.skip(f"{backend.name} takes one thread")
        with loaded as executable:
            executable.elapsed_ns(200)
            time.sleep(0.2)  # whatever spins has given up by then, or never will
            start_s = time.process_time()
            time.sleep(0.2)
            assert time.process_time() - start_s < 0.1
            assert executable.idles_quietly or threads > 1

    def test_refuses_what_is_no_model(self, backend: Backend) -> None:
        with pytest.raises(ModelRejected):
            backend.load(b"this is not ONNX", RunConfig(backend.device))

    def test_refuses_a_model_with_a_free_size(self, backend: Backend) -> None:
        with pytest.raises(ModelRejected):
            backend.load(affine_model(("n", 16)), RunConfig(backend.device))

    def test_refuses_inputs_that_do_not_fit(self, backend: Backend) -> None:
        with backend.load(affine_model(), RunConfig(backend.device)) as executable, pytest.raises(ModelRejected):
            executable.run({"x": np.zeros((3, 5), np.float32)})

    def test_refuses_an_unknown_device(self, backend: Backend) -> None:
        with pytest.raises(UnsupportedConfig):
            backend.load(affine_model(), RunConfig("no-such-device"))

    @pytest.mark.parametrize("precision", PRECISIONS)
    def test_honours_a_precision_or_refuses_it(self, backend: Backend, precision: str) -> None:
        config = RunConfig(backend.device, precision)
        with contextlib.suppress(UnsupportedConfig), backend.load(affine_model(), config) as executable:
            assert executable.options["precision"] == precision

    def test_profiles_operators_or_says_that_it_cannot(self, backend: Backend) -> None:
        model = affine_model(LARGE_AFFINE_SHAPE)
        try:
            profile = profile_operators(backend, model, RunConfig(backend.device), loops=50)
        except OperatorsUnavailable as error:
            assert backend.name in str(error)  # noqa: PT017  (either outcome will do, but not in silence)
            return
        assert all(operator.name and operator.kind and operator.value_us > 0 for operator in profile.operators)
        nodes = [node for operator in profile.operators for node in operator.nodes]
        assert {node.partition(".")[0] for node in nodes} >= {"layer00"}
        # Of the same unit, that is; how close the two are depends on what else the machine does.
        assert 0 < sum(operator.value_us for operator in profile.operators) < 100 * profile.inference_us

    def test_refuses_to_profile_the_operators_of_what_is_no_model(self, backend: Backend) -> None:
        with pytest.raises((ModelRejected, OperatorsUnavailable)):
            profile_operators(backend, b"this is not ONNX", RunConfig(backend.device), loops=1)

    def test_refuses_to_profile_operators_on_an_unknown_device(self, backend: Backend) -> None:
        with pytest.raises((UnsupportedConfig, OperatorsUnavailable)):
            profile_operators(backend, affine_model(), RunConfig("no-such-device"), loops=1)

    def test_tells_which_kernels_it_makes_or_says_that_it_does_not(self, backend: Backend) -> None:
        config = RunConfig(backend.device)
        try:
            graph = fused_graph_of(backend, affine_model(), config)
        except GraphUnavailable as error:
            assert backend.name in str(error)  # noqa: PT017  (either outcome will do, but not in silence)
            return
        nodes = [position for primitive in graph.primitives for position in primitive.nodes]
        assert nodes
        assert len(set(nodes)) == len(nodes)  # no work is counted twice
        assert all(primitive.operator for primitive in graph.primitives)
        assert graph.values["x"] == ("float32", AFFINE_SHAPE)
        assert graph.values["y"] == ("float32", AFFINE_SHAPE)
        with backend.load(graph.model, config) as executable:  # its own graph computes the same
            inputs = {"x": synthetic_input(AFFINE_SHAPE, np.dtype(np.float32))}
            np.testing.assert_allclose(executable.run(inputs)["y"], affine_outputs(inputs)["y"], rtol=1e-4, atol=1e-5)

    def test_refuses_to_tell_the_graph_of_what_is_no_model(self, backend: Backend) -> None:
        with pytest.raises((ModelRejected, GraphUnavailable)):
            fused_graph_of(backend, b"this is not ONNX", RunConfig(backend.device))

    def test_closes_twice_without_complaint(self, backend: Backend) -> None:
        executable = backend.load(affine_model(), RunConfig(backend.device))
        executable.close()
        executable.close()
