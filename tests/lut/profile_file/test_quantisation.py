"""The bits of int8 weights as a property of the device: decided by its instructions, kept in its profile."""

import zipfile
from dataclasses import replace
from pathlib import Path

import onnx
import pytest

from gnomon.lut import LutError, ProfileRequest, build_profile, bundle_request, create_bundle, import_results
from gnomon.lut.profile_file.quantisation import weight_bits_for
from gnomon.lut.profile_file.store import load_profile
from gnomon.profilers.machine.hardware import fingerprint
from gnomon.profilers.run_config import RunConfig
from gnomon.profilers.transports.bundle import unpack_beside
from gnomon.profilers.transports.bundle_device import run_bundle
from gnomon.profilers.transports.local import LocalDevice
from gnomon.supernets.precision.formats import int8

pytestmark = pytest.mark.slow

SAMPLES = Path(__file__).parents[1] / "samples"
INT8 = RunConfig(precision="int8")


@pytest.mark.parametrize(
    ("device", "hardware", "bits"),
    [
        ("cpu", {"isa": ["avx2", "avx512f", "avx512_vnni"]}, 8),
        ("cpu", {"isa": ["avx2", "avx_vnni"]}, 8),
        ("cpu", {"isa": ["asimd", "asimddp"]}, 8),
        ("cpu", {"isa": ["avx", "fma", "avx2"]}, 7),
        ("cpu", {"isa": ["avx2", "avx512f", "avx512bw"]}, 7),
        ("cpu", {"isa": ["asimd"]}, 7),
        ("cpu", {"isa": []}, 7),
        ("cpu", {"isa": None}, 7),
        ("cpu", {"isa": "avx512_vnni"}, 7),
        ("cpu", {}, 7),
        ("gpu", {"isa": ["avx2"]}, 8),
        ("npu", {}, 8),
    ],
)
def test_weights_have_8_bits_where_products_are_known_to_be_added_in_32(device, hardware, bits):
    assert weight_bits_for(device, hardware) == bits


def test_a_profile_says_the_bits_of_its_models_and_an_older_one_those_of_its_processor():
    new, old = (load_profile(SAMPLES / f"profile_v{version}.jsonl") for version in (3, 2))
    assert new.header.weight_bits == new.weight_bits == 8
    assert old.header.weight_bits is None
    assert "avx512_vnni" in old.header.hardware["isa"]
    assert old.weight_bits == 8
    haswell = {**old.header.hardware, "isa": ["avx", "fma", "avx2"]}
    unlike = replace(old, header=old.header.model_copy(update={"hardware": haswell}))
    assert unlike.weight_bits == 7
    kept = replace(new, header=new.header.model_copy(update={"hardware": haswell}))
    assert kept.weight_bits == 8


class Haswell(LocalDevice):
    """This machine, saying that it is one without VNNI; it keeps what it was given to run."""

    def hardware(self):
        return replace(fingerprint(), isa=("avx", "fma", "avx2"))

    def run(self, plan_folder, results, *, on_progress=None):
        self.models = [onnx.load(path) for path in plan_folder.rglob("*.onnx")]
        super().run(plan_folder, results, on_progress=on_progress)


@pytest.mark.parametrize(("config", "bits"), [(INT8, 7), (RunConfig(), None)])
def test_a_device_is_measured_on_weights_as_it_takes_them(tiny, quick_policy, tmp_path, config, bits):
    device = Haswell()
    request = ProfileRequest("tiny", "onnxruntime", config, networks=12, policy=quick_policy)
    profile = build_profile(request, tmp_path / "p.jsonl", device=device)
    assert profile.header.weight_bits == bits
    assert device.models
    for model in device.models:
        said = {entry.key: entry.value for entry in model.metadata_props}
        assert said.get(int8.WEIGHT_BITS) == (None if bits is None else str(bits))


def test_a_bundle_is_for_any_device_and_its_profile_says_so(tiny, quick_policy, tmp_path):
    request = bundle_request("tiny", precision="int8", batch=1, networks=12, layers=True, policy=quick_policy)
    create_bundle(request, tmp_path / "x.zip")
    results = run_bundle(unpack_beside(tmp_path / "x.zip"), "onnxruntime", threads=1)
    profile, _ = import_results(tmp_path / "x.zip", results, tmp_path / "p.jsonl")
    assert profile.header.weight_bits == profile.weight_bits == 7


def test_bits_that_no_bundle_has_are_refused(tiny, quick_policy, tmp_path):
    request = bundle_request("tiny", precision="int8", batch=1, networks=12, layers=True, policy=quick_policy)
    create_bundle(request, tmp_path / "x.zip")
    results = run_bundle(unpack_beside(tmp_path / "x.zip"), "onnxruntime", threads=1)
    with zipfile.ZipFile(tmp_path / "x.zip") as there, zipfile.ZipFile(tmp_path / "y.zip", "w") as changed:
        for info in there.infolist():
            content = there.read(info).replace(b'"weight_bits": 7', b'"weight_bits": 3')
            changed.writestr(info, content.replace(b'"weight_bits":7', b'"weight_bits":3'))
    with pytest.raises(LutError, match="weight_bits"):
        import_results(tmp_path / "y.zip", results, tmp_path / "p.jsonl")
