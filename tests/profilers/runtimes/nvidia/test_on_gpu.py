"""On an NVIDIA GPU only: values, graphs and times of the real thing."""

import numpy as np
import pytest

from gnomon.profilers import BackendUnavailable, RunConfig, load_backend, profile_operators
from gnomon.profilers.testing import AFFINE_SHAPE, LARGE_AFFINE_SHAPE, affine_model, affine_outputs
from gnomon.profilers.timing.protocol import TimingPolicy
from gnomon.profilers.worker.spread import build_spread

pytestmark = pytest.mark.gpu
GPU = RunConfig(device="gpu")


@pytest.fixture(params=["tensorrt", "tensorrt_rtx"])
def backend(request):
    try:
        return load_backend(request.param)
    except BackendUnavailable as error:
        pytest.skip(str(error))


def test_computes_what_numpy_computes_before_and_after_timing(backend):
    inputs = {"x": np.linspace(-1.0, 1.0, 16, dtype=np.float32).reshape(AFFINE_SHAPE)}
    with backend.load(affine_model(), GPU) as executable:
        for _ in range(2):
            np.testing.assert_allclose(executable.run(inputs)["y"], affine_outputs(inputs)["y"], rtol=1e-4, atol=1e-5)
            assert executable.elapsed_ns(100) > 0


def test_a_small_model_is_captured_as_a_graph(backend):
    with backend.load(affine_model(), GPU) as executable:
        assert executable.options["cuda_graph"] is True


def test_the_gpu_and_its_driver_are_named(backend):
    assert {"gpu", "gpu_driver", "compute_capability", "cuda_driver"} <= set(backend.versions())


def test_operators_are_found_among_the_nodes(backend):
    profile = profile_operators(backend, affine_model(LARGE_AFFINE_SHAPE), GPU, loops=20)
    assert {node.partition(".")[0] for operator in profile.operators for node in operator.nodes} == {"layer00"}


def test_a_kept_cache_is_continued_by_the_next_backend(backend, tmp_path):
    backend.use_cache(tmp_path / "cache")
    backend.load(affine_model(LARGE_AFFINE_SHAPE), GPU).close()
    backend.save_cache()
    assert (tmp_path / "cache").stat().st_size > 0
    again = load_backend(backend.name)
    again.use_cache(tmp_path / "cache")
    again.load(affine_model(LARGE_AFFINE_SHAPE), GPU).close()
    assert again.conditions()["cache"] == "continued"


def test_builds_can_be_compared(backend):
    spread = build_spread(backend, affine_model(LARGE_AFFINE_SHAPE), GPU, builds=2, policy=TimingPolicy(visit_us=5_000))
    assert len(spread.values_us) == 2
    assert spread.relative >= 0
