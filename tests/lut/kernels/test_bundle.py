"""A board's kernel profile by two bundles: its runtime tells its graphs, then times the kernels of them."""

import json
import zipfile

import numpy as np
import pytest

from gnomon.lut import ProfileMismatch
from gnomon.lut.kernels.graph.named import named
from gnomon.lut.kernels.measuring.build import KernelRequest
from gnomon.lut.kernels.measuring.bundle import create_kernel_bundle, import_graphs, import_kernel_results
from gnomon.lut.kernels.predict import predict_file
from gnomon.lut.kernels.sample import sequences
from gnomon.lut.measuring import bundle_checks
from gnomon.profilers import TimingPolicy
from gnomon.profilers.errors import BundleDamaged, PlanMismatch
from gnomon.profilers.testing import sign_journal
from gnomon.profilers.transports.bundle import unpack_beside
from gnomon.profilers.transports.bundle_device import run_bundle

pytestmark = pytest.mark.slow

POLICY = TimingPolicy(min_passes=2, max_passes=2, clean_blocks=0, time_cap_s=5.0, processes=1, network_visits=1)
SMALL = {"small": named(sequences.recurrent(np.random.default_rng(1)))}


@pytest.fixture(scope="module")
def trips(tmp_path_factory):
    """Both bundles and what came back of each, by name."""
    folder = tmp_path_factory.mktemp("trips")
    create_kernel_bundle(KernelRequest("", networks=0, policy=POLICY, further=SMALL), folder / "x.zip")
    graphs = run_bundle(unpack_beside(folder / "x.zip"), "onnxruntime", threads=1)
    _, second = import_graphs(folder / "x.zip", graphs)
    results = run_bundle(unpack_beside(second), "onnxruntime", threads=1)
    return {"first": folder / "x.zip", "graphs": graphs, "second": second, "results": results}


def test_two_trips_make_a_kernel_profile_that_predicts(trips, tmp_path):
    assert trips["second"].name == "x-onnxruntime-t1.zip"
    profile, path = import_kernel_results(trips["second"], trips["results"], tmp_path / "k.jsonl")
    assert path == tmp_path / "k.jsonl"
    assert [model.name for model in profile.models] == ["small"]
    (tmp_path / "model.onnx").write_bytes(sequences.recurrent(np.random.default_rng(1)))
    found = predict_file(profile, tmp_path / "model.onnx")
    assert {line.source for line in found.lines} == {"measured"}
    with zipfile.ZipFile(trips["second"]) as archive:
        readme = archive.read("x-onnxruntime-t1/README.txt").decode()
    assert "--backend onnxruntime --threads 1" in readme


def test_kernels_of_one_backend_are_not_timed_by_another(trips):
    with pytest.raises(PlanMismatch, match="--backend onnxruntime --threads 1"):
        run_bundle(unpack_beside(trips["second"]), "onnxruntime", threads=2)


def test_the_wrong_file_for_a_bundle_is_refused(trips, tmp_path):
    with pytest.raises(PlanMismatch, match="asks for times, not for graphs"):
        import_graphs(trips["second"], trips["graphs"], tmp_path / "y.zip")
    with pytest.raises(BundleDamaged):
        import_graphs(trips["first"], trips["results"], tmp_path / "y.zip")
    create_kernel_bundle(KernelRequest("", networks=1, policy=POLICY), tmp_path / "other.zip")
    with pytest.raises(PlanMismatch, match="graphs of other models"):
        import_graphs(tmp_path / "other.zip", trips["graphs"], tmp_path / "y.zip")
    assert not (tmp_path / "y.zip").exists()


def test_times_of_another_device_than_the_graphs_are_refused(trips, tmp_path):
    records = [json.loads(line) for line in trips["results"].read_text().splitlines()]
    for record in records:
        if record["record"] == "session":
            record["hardware"]["cpu_model"] = "another"
    results = tmp_path / "r.jsonl"
    results.write_text("".join(json.dumps(record) + "\n" for record in records))
    sign_journal(results)
    with pytest.raises(ProfileMismatch, match="then 'another'"):
        import_kernel_results(trips["second"], results, tmp_path / "k.jsonl")


@pytest.mark.parametrize(
    "change",
    [
        lambda plan: plan["kernels"].clear(),
        lambda plan: plan["models"]["small"]["calls"].update({"0" * 24: 1}),
        lambda plan: plan.pop("models"),
        lambda plan: next(iter(plan["kernels"].values())).update(key="another"),
        lambda plan: next(iter(plan["kernels"].values())).update(copies=0),
    ],
)
def test_a_bundle_that_says_otherwise_than_it_times_is_refused(trips, tmp_path, monkeypatch, change):
    read = bundle_checks.read_bundle

    def altered(path):
        carried = read(path)
        change(carried.origin["kernels"]["plan"])
        return carried

    monkeypatch.setattr(bundle_checks, "read_bundle", altered)
    with pytest.raises(BundleDamaged):
        import_kernel_results(trips["second"], trips["results"], tmp_path / "k.jsonl")
