"""ONNX Runtime's CUDA provider on a real GPU: values, versions, and a profile that is verified like any other."""

import numpy as np
import pytest

from gnomon.profilers import BackendUnavailable, RunConfig, load_backend
from gnomon.profilers.machine.hardware import gpu_models
from gnomon.profilers.testing import AFFINE_SHAPE, affine_model
from gnomon.supernets.graph import graph_from_layers
from gnomon.supernets.registry import load_space

pytestmark = pytest.mark.gpu
GPU = RunConfig(device="gpu")


@pytest.fixture
def backend():
    try:
        return load_backend("onnxruntime:cuda")
    except BackendUnavailable as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("space_name", ["fashion_mnist", "ofa_mobilenetv3"])
def test_a_network_computes_on_the_gpu_what_it_computes_on_the_cpu(backend, space_name):
    space = load_space(space_name)
    model = graph_from_layers(space.layers(space.architecture([0] * len(space.choices))), batch=1)
    values = np.random.default_rng(0).standard_normal((1, *space.input_shape)).astype(np.float32)
    with backend.load(model, GPU) as on_gpu, load_backend("onnxruntime").load(model, RunConfig()) as on_cpu:
        (name,) = on_cpu.inputs
        expected = on_cpu.run({name: values})
        for _ in range(2):
            for output, found in on_gpu.run({name: values}).items():
                np.testing.assert_allclose(found, expected[output], rtol=1e-3, atol=1e-4)
            assert on_gpu.elapsed_ns(20) > 0


def test_the_gpu_and_its_driver_are_named(backend):
    assert {"gpu", "gpu_driver"} <= set(backend.versions())
    assert backend.versions()["gpu"] == ", ".join(gpu_models())


def test_options_are_reported_as_asked(backend):
    with backend.load(affine_model(), GPU) as executable:
        assert executable.run({"x": np.zeros(AFFINE_SHAPE, np.float32)})
        assert not executable.options["provider_options_unreported"]
        assert executable.options["provider_options"]["use_tf32"] == "0"
