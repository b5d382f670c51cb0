"""A runtime in a process of its own answers as it does here, and whatever happens to it is one error here."""

import signal

import numpy as np
import pytest

from gnomon.profilers import ModelRejected, RunConfig, UnknownBackend, WorkerCrashed, load_backend
from gnomon.profilers.runtimes.subprocess import ModelsInSubprocess
from gnomon.profilers.testing import AFFINE_SHAPE, affine_model, affine_outputs

pytestmark = pytest.mark.slow

NOISY = '''
import json, os
from gnomon.profilers.testing import FakeBackend

class Noisy(FakeBackend):
    """Prints while it loads; its model is a signal that it dies of when it runs."""

    def load(self, model, config):
        os.write(1, b"runtimes print\\n")
        print("in Python too", flush=True)
        executable = super().load(model, config)
        executable._function = lambda inputs: os.kill(os.getpid(), int(model)) or inputs
        return executable

def open_backend():
    return Noisy(lambda model: (1.0,), "noisy")
'''


@pytest.fixture
def noisy(install_backend):
    """Make the backend ``noisy`` known to child processes."""
    return install_backend("noisy", NOISY)


@pytest.mark.parametrize("name", ["onnxruntime", "openvino", "onnxruntime:openvino"])
def test_answers_are_those_of_the_runtime_whatever_is_loaded_here(name, require):
    load_backend(require("openvino")), require(name)
    inputs = {"x": np.linspace(-1.0, 1.0, 16, dtype=np.float32).reshape(AFFINE_SHAPE)}
    with ModelsInSubprocess([affine_model(), affine_model()], backend=name, config=RunConfig()) as models:
        assert models.input_shapes == [{"x": AFFINE_SHAPE}] * 2
        assert models.version == load_backend(name).version()
        for position in (1, 0, 1):
            outputs = models.run(position, inputs)
            np.testing.assert_allclose(outputs["y"], affine_outputs(inputs)["y"], rtol=1e-4, atol=1e-5)
        outputs["y"][0] = 0  # the caller's
        assert models.run(0, {"x": inputs["x"].astype(np.float64)})["y"].dtype == np.float32


def test_what_a_runtime_prints_is_not_taken_for_an_answer(noisy):
    with ModelsInSubprocess([b"0"], backend=noisy, config=RunConfig()) as models:
        sent = {"ids": np.arange(3), "scalar": np.float16(2), "none": np.zeros((0, 4)), "strided": np.eye(3)[:, 1]}
        received = models.run(0, sent)
    assert {name: (array.shape, array.dtype) for name, array in received.items()} == {
        name: (np.shape(array), array.dtype) for name, array in sent.items()
    }
    np.testing.assert_array_equal(received["strided"], [0, 1, 0])


def test_a_runtime_that_dies_is_an_error_with_its_last_words(noisy):
    with (
        ModelsInSubprocess([str(int(signal.SIGSEGV)).encode()], backend=noisy, config=RunConfig()) as models,
        pytest.raises(WorkerCrashed, match=r"noisy died with SIGSEGV(.|\n)*runtimes print"),
    ):
        models.run(0, {})


def test_errors_of_the_child_are_raised_as_themselves():
    with pytest.raises(UnknownBackend, match="onnxruntime"):
        ModelsInSubprocess([affine_model()], backend="onnxrunntime", config=RunConfig())
    with pytest.raises(ModelRejected):
        ModelsInSubprocess([b"this is not ONNX"], backend="onnxruntime", config=RunConfig())


def test_it_goes_on_after_inputs_that_do_not_fit_and_closes_twice():
    with ModelsInSubprocess([affine_model()], backend="onnxruntime", config=RunConfig()) as models:
        with pytest.raises(ModelRejected):
            models.run(0, {"x": np.zeros((3, 5), np.float32)})
        assert models.run(0, {"x": np.zeros(AFFINE_SHAPE, np.float32)})["y"].shape == AFFINE_SHAPE
        with pytest.raises(ValueError, match="arrays of object cannot be sent"):
            models.run(0, {"x": np.array([object()])})
        models.close()
