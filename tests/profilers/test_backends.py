"""The contract, over every backend there is and over the scripted one."""

import subprocess
import sys

import pytest

from gnomon.profilers import (
    BackendUnavailable,
    FallbackRefused,
    ModelRejected,
    RunConfig,
    UnknownBackend,
    backend_names,
    load_backend,
)
from gnomon.profilers.backends import onnxruntime as onnxruntime_backend
from gnomon.profilers.testing import BackendContract, FakeBackend, affine_model


def script(model):
    if model != affine_model():
        raise ModelRejected("no script for this model")
    return (50.0,)


class TestRegisteredBackends(BackendContract):
    @pytest.fixture(params=backend_names())
    def backend(self, request):
        try:
            return load_backend(request.param)
        except BackendUnavailable as error:
            pytest.skip(str(error))


class TestFakeBackend(BackendContract):
    @pytest.fixture
    def backend(self):
        return FakeBackend(script)


def test_the_folder_is_the_registry():
    assert {"onnxruntime", "openvino"} <= set(backend_names())


def test_an_unknown_backend_is_answered_with_the_known_and_the_closest():
    with pytest.raises(UnknownBackend, match=r"openvino.*Did you mean 'openvino'") as caught:
        load_backend("openvinno")
    assert caught.value.known == backend_names()


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_a_missing_runtime_is_answered_with_the_install_command(name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(BackendUnavailable, match="Install it: pip install") as caught:
        load_backend(name)
    assert caught.value.install_command == f'pip install "gnomon[{name}]"'


def test_listing_the_backends_imports_no_runtime():
    code = (
        "import sys, gnomon.profilers as p; p.backend_names();"
        "print([name for name in ('onnxruntime', 'openvino', 'tensorrt') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_openvino_is_loaded_without_its_telemetry():
    pytest.importorskip("openvino")
    code = (
        "import sys, gnomon.profilers as p; p.load_backend('openvino');"
        "print(any(module and name.startswith('openvino_telemetry') for name, module in sys.modules.items()))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"


class StrayNode:
    op_type = "Relu"


class StrayPart:
    ep_name = "SomeOtherProvider"

    def get_nodes(self):
        return [StrayNode()]


class StraySession:
    def get_providers(self):
        return ["CPUExecutionProvider"]

    def get_provider_graph_assignment_info(self):
        return [StrayPart()]


def test_onnxruntime_refuses_a_node_on_another_provider():
    with pytest.raises(FallbackRefused, match="Relu on SomeOtherProvider"):
        onnxruntime_backend._refuse_fallback(StraySession())


def test_onnxruntime_reports_where_every_node_was_placed():
    pytest.importorskip("onnxruntime")
    with load_backend("onnxruntime").load(affine_model(), RunConfig()) as executable:
        assert executable.options["nodes_checked"] is True
        assert executable.options["session.intra_op.allow_spinning"] == "1"
