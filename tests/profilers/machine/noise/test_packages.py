import sys

import pytest

from gnomon.profilers.machine.noise.packages import onnxruntime_packages, package_causes


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Return a function that installs distributions, by the name and the modules of each, and nothing else."""

    def install(**modules):
        for name, brought in modules.items():
            info = tmp_path / f"{name}-1.0.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 1.0\n")
            if isinstance(brought, str):
                (info / "top_level.txt").write_text(brought)
            else:
                (info / "RECORD").write_text("".join(f"{file},,\n" for file in brought))
                for file in brought:  # some readers of metadata leave out listed files that are not there
                    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
                    (tmp_path / file).touch()
        monkeypatch.setattr(sys, "path", [str(tmp_path)])

    return install


def test_two_that_bring_the_same_module_are_bad_and_one_command_mends_it(installed):
    installed(onnxruntime="onnxruntime\n", onnxruntime_gpu="onnxruntime\n", onnxruntime_ep_openvino="openvino\n")
    cause = onnxruntime_packages()
    assert cause.severity == "bad"
    assert cause.value == "onnxruntime 1.0, onnxruntime-ep-openvino 1.0, onnxruntime-gpu 1.0"
    assert cause.fix == "pip uninstall --yes onnxruntime onnxruntime-gpu && pip install onnxruntime-gpu"
    assert "openvino" not in cause.why


def test_plugins_and_neighbours_of_one_runtime_are_no_conflict(installed):
    installed(onnxruntime="onnxruntime\n", onnxruntime_ep_openvino="onnxruntime_ep_openvino\n", numpy="numpy\n")
    cause = onnxruntime_packages()
    assert (cause.severity, "numpy" in cause.value) == ("ok", False)


def test_a_distribution_of_any_name_counts_by_the_files_it_brings(installed):
    installed(onnxruntime="onnxruntime\n", ort_nightly=("onnxruntime/__init__.py", "onnxruntime/capi/x.so"))
    assert onnxruntime_packages().severity == "bad"
    assert "ort-nightly 1.0" in onnxruntime_packages().value


def test_nothing_is_said_where_none_is_installed(installed):
    installed(numpy="numpy\n")
    assert package_causes() == ()
