"""A search at a profile's precision: validated in it, recorded, never mixed with another."""

import json
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import numpy as np
import pytest

from gnomon.api import load_profile, search
from gnomon.search import SearchConfig, export_checks, run_search
from gnomon.search.errors import InvalidConfig, MissingContext, RunMismatch
from gnomon.search.export import export_subnet
from gnomon.search.final import costly_objectives
from gnomon.search.objective import build_objective
from gnomon.search.profiles import precision_of, provenance_from
from gnomon.search.testing import AnalyticSupernet, fake_context
from gnomon.supernets.errors import PrecisionUnavailable
from gnomon.supernets.supernet import load_supernet

CONFIG = SearchConfig(
    space="fashion_mnist", objectives=("accuracy", "macs"), budget=6, population=3, tactic="random", glimpse_share=1.0
)


@dataclass(frozen=True)
class Quantised(AnalyticSupernet):
    """Loses a point in int8, and remembers what it was asked for."""

    asked: list[str] = field(default_factory=list)
    precisions: tuple[str, ...] = ("fp32", "int8")

    def evaluate(self, architecture, split, share=1.0, *, precision="fp32"):
        self.asked.append(precision)
        return super().evaluate(architecture, split, share) - (precision == "int8")


def profile_of(precision, name="p", weight_bits=8):
    config = SimpleNamespace(precision=precision)
    header = SimpleNamespace(config=config)
    return SimpleNamespace(name=name, digest="0" * 64, header=header, weight_bits=weight_bits)


@pytest.fixture
def context():
    fake = fake_context()
    return replace(fake, supernet=Quantised(fake.space), precision="int8")


def test_the_precision_is_the_profiles():
    assert precision_of({}) == "fp32"
    assert precision_of({"a": profile_of("int8"), "b": profile_of("int8")}) == "int8"
    assert "precision" not in provenance_from({"": profile_of("fp32")})
    assert provenance_from({"": profile_of("int8")})["precision"] == "int8"


def test_profiles_of_different_precisions_are_to_be_searched_apart():
    with pytest.raises(InvalidConfig, match=r"different precisions \(pi5: int8, xeon: fp32\).*each apart"):
        precision_of({"pi5": profile_of("int8"), "xeon": profile_of("fp32")})


def test_networks_are_validated_in_the_precision_and_the_run_says_so(context, tmp_path):
    provenance = provenance_from({"": profile_of("int8")})
    run = run_search(context, CONFIG, tmp_path / "run", provenance=provenance)
    assert set(context.supernet.asked) == {"int8"}
    assert run.precision == "int8"
    exact = Quantised(context.space)
    for one in run.evaluations:
        architecture = context.space.architecture(one.indices)
        assert one.values["accuracy"] == exact.evaluate(architecture, "validation", precision="int8")
    (accuracy,) = costly_objectives(run, context.space, context.supernet, "test")
    assert accuracy.precision == "int8"


def test_a_run_does_not_go_on_in_another_precision(context, tmp_path):
    run_search(context, CONFIG, tmp_path / "run", provenance=provenance_from({"": profile_of("int8")}))
    fp32 = replace(context, precision="fp32")
    with pytest.raises(RunMismatch, match=r"provenance\.precision: 'int8' there, None asked"):
        run_search(fp32, CONFIG, tmp_path / "run", provenance=provenance_from({"": profile_of("fp32")}))


def test_values_of_another_precision_are_no_evidence(context, tmp_path):
    known = {"checkpoint_sha256": "ab", "data": None}
    first = run_search(replace(context, precision="fp32"), CONFIG, tmp_path / "a", provenance=known)
    second = run_search(
        context, CONFIG, tmp_path / "b", provenance={**known, "precision": "int8"}, start_from=first
    )  # fmt: skip
    assert second.start.header.takes == "architectures"
    assert "validated in fp32, here they are in int8" in second.start.header.why


@pytest.mark.parametrize("supernet", [AnalyticSupernet, Quantised])
def test_a_supernet_that_does_not_know_the_precision_is_refused_before_it_runs(supernet, context):
    unknown = replace(context, supernet=supernet(context.space), precision="fp16")
    with pytest.raises(MissingContext, match=r"known in fp32.*not in fp16"):
        build_objective("accuracy", unknown)


def test_a_search_for_a_processor_unlike_this_one_is_refused_at_once(tmp_path, monkeypatch):
    from gnomon.supernets.precision import bf16

    def refuse():
        raise PrecisionUnavailable("this processor does not compute in bf16")

    monkeypatch.setattr(bf16, "require", refuse)
    measured = load_profile("fashion_mnist/amd-epyc-2c.openvino.fp32.b1.t1")
    config = measured.header.config.model_copy(update={"precision": "bf16"})
    profile = replace(measured, header=measured.header.model_copy(update={"config": config}))
    with pytest.raises(PrecisionUnavailable, match="does not compute in bf16"):
        search(CONFIG, tmp_path / "run", profile=profile)
    assert not (tmp_path / "run").exists()


def test_what_is_exported_is_what_was_validated(tmp_path, monkeypatch):
    monkeypatch.setattr(export_checks, "backend_names", lambda: ("onnxruntime", "openvino"))
    supernet = load_supernet("fashion_mnist")
    smallest = supernet.space.architecture(np.zeros_like(supernet.space.radices))
    exported = export_subnet(supernet, smallest, tmp_path / "out", precision="int8")
    content = (tmp_path / "out" / "model.onnx").read_bytes()
    assert b"QuantizeLinear" in content
    record = json.loads((tmp_path / "out" / "model.json").read_text())
    assert record["precision"] == "int8"
    assert record["calibration"] == {"split": "calibration", "examples": 128}
    validated = supernet.evaluate(smallest, "test", precision="int8")
    assert record["metric"]["onnxruntime"] == pytest.approx(validated, abs=0.1)
    assert record["metric"]["torch"] > record["metric"]["onnxruntime"]
    assert {parity.backend for parity in exported.parities} == {"onnxruntime", "openvino"}


def test_an_export_that_does_worse_than_the_search_saw_is_refused(tmp_path, monkeypatch):
    supernet = load_supernet("fashion_mnist")
    smallest = supernet.space.architecture(np.zeros_like(supernet.space.radices))
    parts = supernet.models(smallest, precision="int8")
    with pytest.raises(export_checks.ExportRefused, match=r"a search in int8 99\.00; nothing was written"):
        export_checks.check_metric(parts, supernet, 99.0, precision="int8")
