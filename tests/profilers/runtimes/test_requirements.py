import pytest

from gnomon.profilers import BackendUnavailable, RuntimeTooOld, load_backend
from gnomon.profilers.runtimes import registry
from gnomon.profilers.runtimes.requirements import check_runtime, install_command, required_version
from gnomon.profilers.testing import FakeBackend


@pytest.mark.parametrize("version", ["1.12", "1.12.0", "1.31.1", "1.100", "2.0.dev1", "1.12.1+cu118", "built here"])
def test_versions_that_can_run_the_models_are_accepted(version):
    check_runtime("onnxruntime", version)


@pytest.mark.parametrize("name", ["onnxruntime", "onnxruntime:cuda"])
def test_an_older_version_is_refused_with_both_versions_and_the_command_that_mends_it(name):
    with pytest.raises(RuntimeTooOld, match=r"1\.11\.1.*1\.12 or newer.*pip install") as caught:
        check_runtime(name, "1.11.1")
    assert isinstance(caught.value, BackendUnavailable)
    assert "onnxruntime>=1.12" in caught.value.install_command


def test_builds_of_openvino_are_compared_by_their_release():
    check_runtime("openvino", "2023.1.0-12185-9e6b00e51cd-releases/2023/1")
    with pytest.raises(RuntimeTooOld):
        check_runtime("openvino", "2023.0.2-11065-e662b1a3301-releases/2023/0")


def test_int8_asks_for_more_where_the_runtime_does():
    check_runtime("openvino", "2023.2.0", "fp32")
    check_runtime("openvino", "2023.3.0", "int8")
    with pytest.raises(RuntimeTooOld, match=r"int8, which takes 2023\.3.*openvino>=2023\.3"):
        check_runtime("openvino", "2023.2.0", "int8")


def test_a_runtime_is_installed_by_its_own_name_with_what_a_variant_takes():
    assert install_command("onnxruntime") == 'python3 -m pip install --upgrade "onnxruntime>=1.12"'
    assert install_command("onnxruntime:openvino").endswith('"onnxruntime>=1.12" onnxruntime-ep-openvino')


def test_nothing_is_asked_of_a_runtime_nobody_knows():
    assert required_version("fake") is None
    check_runtime("fake", "0.1")


def test_a_backend_of_an_old_runtime_is_not_opened(monkeypatch):
    class Old(FakeBackend):
        def version(self):
            return "1.9"

    entry = registry._Entry("cpu", "a test", lambda: Old(lambda model: [1.0]))
    monkeypatch.setattr(registry, "_entries", lambda: {"onnxruntime": entry})
    with pytest.raises(RuntimeTooOld, match=r"1\.9"):
        load_backend("onnxruntime")


def test_what_pip_calls_a_runtime_is_what_it_is_asked_for():
    assert install_command("tensorrt_rtx").endswith('"tensorrt-rtx-cu13>=1.0"')
    assert install_command("onnxruntime:openvino").endswith('"onnxruntime>=1.12" onnxruntime-ep-openvino')
    assert install_command("numpy").endswith('"numpy"')
