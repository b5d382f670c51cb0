"""What the TensorRT backend asks of CUDA, in which order, and that all of it is given back."""

import numpy as np
import pytest

from gnomon.profilers import ModelRejected, OperatorProfiler, RunConfig, UnsupportedConfig, profile_operators
from gnomon.profilers.errors import GpuError, GpuLost
from gnomon.profilers.runtimes.backend import Conditions, KeepsCache
from gnomon.profilers.testing import AFFINE_SHAPE, affine_model, affine_outputs

GPU = RunConfig(device="gpu")


def test_captures_one_inference_after_a_first_one_ran(make_backend, library):
    with make_backend(library).load(affine_model(), GPU) as executable:
        names = [name for name in library.names if "Capture" in name or "Graph" in name]
        assert names == [
            "cudaStreamBeginCapture",
            "cudaStreamEndCapture",
            "cudaGraphInstantiateWithFlags",
            "cudaGraphLaunch",
        ]
        assert library.names.index("cudaStreamSynchronize") < library.names.index("cudaStreamBeginCapture")
        assert executable.options["cuda_graph"] is True
        assert executable.idles_quietly


def test_times_launches_between_two_events_and_nothing_else(make_backend, library):
    with make_backend(library).load(affine_model(), GPU) as executable:
        library.names.clear()
        assert executable.elapsed_ns(5) == 50_000
        launches = ["cudaGraphLaunch"] * 5
        waiting = ["cudaEventSynchronize", "cudaEventElapsedTime"]
        assert library.names == ["cudaEventRecord", *launches, "cudaEventRecord", *waiting]


def test_gives_everything_back_memory_last_but_the_stream(make_backend, library):
    executable = make_backend(library).load(affine_model(), GPU)
    executable.close()
    executable.close()
    assert not library.held
    assert library.released == [
        "cudaGraphExecDestroy",
        "cudaGraphDestroy",
        *["cudaFree"] * 2,
        *["cudaEventDestroy"] * 2,
        "cudaStreamDestroy",
    ]


def test_computes_on_what_was_copied_in_and_times_on_what_was_bound(make_backend, library):
    inputs = {"x": np.linspace(-1.0, 1.0, 16, dtype=np.float32).reshape(AFFINE_SHAPE)}
    with make_backend(library).load(affine_model(), GPU) as executable:
        first = executable.run(inputs)["y"]
        np.testing.assert_array_equal(first, affine_outputs(inputs)["y"])
        executable.run({"x": np.zeros(AFFINE_SHAPE, np.float32)})
        np.testing.assert_array_equal(first, affine_outputs(inputs)["y"])  # the outputs are the caller's
        executable.elapsed_ns(1)
        np.testing.assert_array_equal(executable.run(executable.inputs)["y"], affine_outputs(executable.inputs)["y"])
        library.names.clear()
        executable.elapsed_ns(1)
        assert "cudaMemcpyAsync" not in library.names


@pytest.mark.parametrize("inputs", [{}, {"x": np.zeros((3, 5), np.float32)}, {"x": np.zeros(AFFINE_SHAPE)}])
def test_refuses_inputs_that_do_not_fit_before_copying_any(make_backend, library, inputs):
    with make_backend(library).load(affine_model(), GPU) as executable:
        library.names.clear()
        with pytest.raises(ModelRejected):
            executable.run(inputs)
        assert not library.names


def test_enqueues_one_by_one_where_capturing_fails_and_says_so(make_backend, scripted):
    library = scripted.Library({"cudaStreamEndCapture": 901})
    with make_backend(library).load(affine_model(), GPU) as executable:
        assert executable.options["cuda_graph"] is False
        assert "cudaGetLastError" in library.names  # else the next call would report it again
        assert executable.elapsed_ns(7) == 70_000
        assert "cudaGraphLaunch" not in library.names


def test_does_not_try_to_capture_what_tensorrt_says_it_cannot(make_backend, library, scripted):
    context = scripted.Context(library)
    context.is_stream_capturable = lambda stream: False
    with make_backend(library, engine=scripted.Engine(library, context)).load(affine_model(), GPU) as executable:
        assert executable.options["cuda_graph"] is False
        assert "cudaStreamBeginCapture" not in library.names


@pytest.mark.parametrize(
    ("function", "call"),
    [
        ("cudaStreamCreateWithFlags", 1),
        ("cudaEventCreate", 2),
        ("cudaMalloc", 1),
        ("cudaMalloc", 2),
        ("cudaMemcpyAsync", 1),
        ("cudaStreamSynchronize", 2),
    ],
)
def test_an_error_of_cuda_names_it_and_leaves_nothing_behind(make_backend, scripted, function, call):
    library = scripted.Library({function: (2, call)})
    with pytest.raises(ModelRejected, match=rf"{function} failed: cudaErrorMemoryAllocation"):
        make_backend(library).load(affine_model(), GPU)
    assert not library.held


def test_a_lost_gpu_is_no_fault_of_the_model_and_is_left_alone(make_backend, scripted):
    library = scripted.Library({"cudaStreamSynchronize": (700, 2)})
    with pytest.raises(GpuLost, match="cudaErrorIllegalAddress"):
        make_backend(library).load(affine_model(), GPU)
    assert library.names[-1] == "cudaGetErrorString"


def test_a_gpu_lost_inside_tensorrt_is_told_from_a_model_that_cannot_run(make_backend, scripted):
    lost, fine = scripted.Library({"cudaMemGetInfo": 700}), scripted.Library()
    for library, error in ((lost, GpuLost), (fine, ModelRejected)):
        engine = scripted.Engine(library, scripted.Context(library, is_refusing=True))
        with pytest.raises(error):
            make_backend(library, engine=engine).load(affine_model(), GPU)


def test_a_model_is_not_kept_on_a_gpu_that_is_nearly_full(make_backend, library):
    library.free_bytes = 40
    with make_backend(library).load(affine_model(), GPU) as executable:
        assert not executable.idles_quietly


def test_an_error_while_timing_is_an_error(make_backend, scripted):
    library = scripted.Library({"cudaGraphLaunch": (2, 4)})
    with (
        make_backend(library).load(affine_model(), GPU) as executable,
        pytest.raises(GpuError, match="cudaGraphLaunch"),
    ):
        executable.elapsed_ns(5)


@pytest.mark.parametrize(
    "config", [RunConfig(), RunConfig("gpu", "bf16"), RunConfig("gpu", "fp16"), RunConfig("gpu", threads=2)]
)
def test_refuses_what_it_cannot_honour(make_backend, library, config):
    with pytest.raises(UnsupportedConfig):
        make_backend(library).load(affine_model(), config)


def test_a_tensorrt_whose_types_are_hints_is_refused(make_backend, library):
    backend = make_backend(library)
    backend._builder.runtime.NetworkDefinitionCreationFlag = object()
    backend._builder.runtime.BuilderFlag.FP16 = "FP16"
    with pytest.raises(UnsupportedConfig, match="TensorRT 10"):
        backend.load(affine_model(), GPU)


def test_a_tensorrt_that_knows_strong_types_only_needs_no_flag(make_backend, library):
    backend = make_backend(library)
    backend._builder.runtime.NetworkDefinitionCreationFlag = object()
    with backend.load(affine_model(), GPU) as executable:
        assert executable.options["strongly_typed"] is True


def test_reports_what_changes_a_time_and_keeps_apart_what_changes_by_the_second(make_backend, library):
    backend = make_backend(library)
    with backend.load(affine_model(), GPU) as executable:
        options = dict(executable.options)
    assert options["tf32"] is False
    assert {"precision": "fp32", "threads": 1, "strongly_typed": True}.items() <= options.items()
    assert backend.versions() == {
        "tensorrt": "11.0",
        "cuda_runtime": "13.5",
        "cuda_driver": "13.0",
        "compute_capability": "8.6",
        "gpu": "NVIDIA RTX A4000",
        "gpu_driver": "580.65.06",
        "numpy": np.__version__,
    }
    assert isinstance(backend, Conditions)
    assert isinstance(backend, KeepsCache)
    assert not set(backend.conditions()) & set(options)


def test_explains_with_tensorrts_profiler_uncaptured_and_leaves_out_what_took_no_time(make_backend, library):
    backend = make_backend(library)
    assert isinstance(backend, OperatorProfiler)
    profile = profile_operators(backend, affine_model(), GPU, loops=10)
    assert "cudaStreamBeginCapture" not in library.names
    (operator,) = profile.operators
    assert (operator.name, operator.kind) == ("fused", "kgen")
    assert operator.value_us == pytest.approx(20.0)
    assert operator.nodes == ("a.matmul0", "a.relu2")
    assert not library.held


def test_the_parsers_own_reasons_are_given_without_the_place_in_its_source(make_backend, library):
    with pytest.raises(ModelRejected, match=r"node a\.b: no such operator$"):
        make_backend(library).load(b"this is not ONNX", GPU)
