"""A search at a profile's precision: validated in it, recorded, never mixed with another."""

import json
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import numpy as np
import pytest

from gnomon.api import export, load_profile, run_search
from gnomon.search import SearchConfig, search_in_context
from gnomon.search.deployments.profiles import precision_of, provenance_from, searched
from gnomon.search.errors import InvalidConfig, MissingContext, RunMismatch
from gnomon.search.export import checks as export_checks
from gnomon.search.export.export import export_subnet
from gnomon.search.final.final import costly_objectives
from gnomon.search.problem.build import build_objective
from gnomon.search.testing.contracts import AnalyticSupernet, fake_context
from gnomon.supernets import load_space
from gnomon.supernets.errors import PrecisionUnavailable
from gnomon.supernets.evaluation import agreement
from gnomon.supernets.precision.formats import int8
from gnomon.supernets.supernet import load_supernet

CONFIG = SearchConfig(
    space="fashion_mnist", objectives=("accuracy", "macs"), budget=6, population=3, tactic="random", partial_share=1.0
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
    assert "precision" not in provenance_from({"": profile_of("fp32")}).model_dump()
    assert provenance_from({"": profile_of("int8")}).precision == "int8"


def test_profiles_of_different_precisions_are_to_be_searched_apart():
    with pytest.raises(InvalidConfig, match=r"different precisions \(pi5: int8, xeon: fp32\).*each apart"):
        precision_of({"pi5": profile_of("int8"), "xeon": profile_of("fp32")})


def test_networks_are_validated_in_the_precision_and_the_run_says_so(context, tmp_path):
    provenance = provenance_from({"": profile_of("int8")})
    run = search_in_context(context, CONFIG, tmp_path / "run", provenance=provenance)
    assert set(context.supernet.asked) == {"int8"}
    assert run.precision == "int8"
    exact = Quantised(context.space)
    for one in run.evaluations:
        architecture = context.space.architecture(one.indices)
        assert one.values["accuracy"] == exact.evaluate(architecture, "validation", precision="int8")
    (accuracy,) = costly_objectives(run, context.space, context.supernet, "test")
    assert accuracy.precision == "int8"


def test_a_run_does_not_go_on_in_another_precision(context, tmp_path):
    search_in_context(context, CONFIG, tmp_path / "run", provenance=provenance_from({"": profile_of("int8")}))
    fp32 = replace(context, precision="fp32")
    with pytest.raises(RunMismatch, match=r"provenance\.precision: 'int8' there, None asked"):
        search_in_context(fp32, CONFIG, tmp_path / "run", provenance=provenance_from({"": profile_of("fp32")}))


def test_values_of_another_precision_are_no_evidence(context, tmp_path):
    known = {"checkpoint_sha256": "ab", "data": None}
    first = search_in_context(replace(context, precision="fp32"), CONFIG, tmp_path / "a", provenance=known)
    second = search_in_context(
        context, CONFIG, tmp_path / "b", provenance={**known, "precision": "int8"}, start_from=first
    )  # fmt: skip
    assert second.start.header.takes == "architectures"
    assert "validated in fp32, here they are in int8" in second.start.header.why


def test_weights_are_as_all_devices_of_a_search_take_them():
    provenance = provenance_from({"": profile_of("int8"), "old": profile_of("int8", weight_bits=7)})
    assert provenance.weight_bits == 7
    assert provenance_from({"": profile_of("int8")}).weight_bits == 8
    assert "weight_bits" not in provenance_from({"": profile_of("fp32", weight_bits=7)}).model_dump()


@pytest.mark.parametrize(
    ("there", "here", "why"),
    [
        (8, 8, None),
        (8, 7, "its int8 weights have 8 bits, here they have 7"),
        (None, 7, "it is not known how its int8 weights were kept, here they have 7 bits"),
    ],
)
def test_values_count_where_weights_were_quantised_alike(context, tmp_path, there, here, why):
    known = {"checkpoint_sha256": "ab", "data": None, "precision": "int8"}
    bits = {} if there is None else {"weight_bits": there}
    first = search_in_context(context, CONFIG, tmp_path / "a", provenance={**known, **bits})
    assert first.weight_bits == there
    second = search_in_context(
        context, CONFIG, tmp_path / "b", provenance={**known, "weight_bits": here}, start_from=first
    )
    assert second.start.header.takes == ("values" if why is None else "architectures")
    assert why is None or second.start.header.why == why


def test_a_run_does_not_go_on_with_other_weights(context, tmp_path):
    eight, seven = (provenance_from({"": profile_of("int8", weight_bits=bits)}) for bits in (8, 7))
    search_in_context(context, CONFIG, tmp_path / "run", provenance=eight)
    with pytest.raises(RunMismatch, match=r"provenance\.weight_bits: 8 there, 7 asked"):
        search_in_context(context, CONFIG, tmp_path / "run", provenance=seven)


@pytest.mark.parametrize("supernet", [AnalyticSupernet, Quantised])
def test_a_supernet_that_does_not_know_the_precision_is_refused_before_it_runs(supernet, context):
    unknown = replace(context, supernet=supernet(context.space), precision="fp16")
    with pytest.raises(MissingContext, match=r"known in fp32.*not in fp16"):
        build_objective("accuracy", unknown)


def test_a_search_for_a_processor_unlike_this_one_is_refused_at_once(tmp_path, monkeypatch):
    from gnomon.supernets.precision.formats import bf16

    def refuse():
        raise PrecisionUnavailable("this processor does not compute in bf16")

    monkeypatch.setattr(bf16, "require", refuse)
    measured = load_profile("fashion_mnist/amd-epyc-2c.openvino.fp32.b1.t1")
    config = measured.header.config.model_copy(update={"precision": "bf16"})
    profile = replace(measured, header=measured.header.model_copy(update={"config": config}))
    with pytest.raises(PrecisionUnavailable, match="does not compute in bf16"):
        run_search(CONFIG, tmp_path / "run", profile=profile)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
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
    assert record["quantisation"]["weight_bits"] == supernet.weight_bits
    assert 0 < record["quantisation"]["error"] < agreement.LIMIT
    assert record["quantisation"]["in_fp32"] is False


@pytest.mark.slow
def test_what_saturates_here_is_validated_as_another_processor_runs_it(tmp_path, monkeypatch, few_images):
    for module in (agreement, int8):
        monkeypatch.setattr(module, "weight_bits_here", lambda: 7)
    supernet = load_supernet("fashion_mnist", weight_bits=8)
    smallest = supernet.space.architecture(np.zeros_like(supernet.space.radices))
    said = []
    exported = export_subnet(supernet, smallest, tmp_path / "out", precision="int8", on_step=said.append)
    (part,) = supernet.models(smallest, precision="int8")
    exact = supernet.score(supernet.answers_from([int8.exact_runner(part.model)], "test"), "test")
    assert exported.metric.runtime_value == exact
    assert exported.parities == ()
    assert json.loads((tmp_path / "out" / "model.json").read_text())["quantisation"]["in_fp32"] is True
    assert any("validated by Q/DQ pairs in fp32" in step for step in said)


def profile_in_int8(isa):
    """A shipped profile as if it were of int8, on a processor with these instructions."""
    measured = load_profile("fashion_mnist/amd-epyc-2c.onnxruntime.fp32.b1.t1")
    config = measured.header.config.model_copy(update={"precision": "int8"})
    hardware = {**measured.header.hardware, "isa": isa}
    return replace(measured, header=measured.header.model_copy(update={"config": config, "hardware": hardware}))


def test_a_joint_search_keeps_the_bits_where_int8_is_one_of_its_choices():
    both = [load_profile("fashion_mnist/amd-epyc-2c.onnxruntime.fp32.b1.t1"), profile_in_int8(["avx2"])]
    kept = searched(both, load_space("fashion_mnist"), ("accuracy", "latency", "memory"))
    assert kept.precisions == ("fp32", "int8")
    assert kept.weight_bits == kept.provenance.weight_bits == 7
    left_out = searched(both, load_space("fashion_mnist"), ("accuracy", "latency"))  # as fast as fp32, so of no use
    assert left_out.precisions == ("fp32",)
    assert left_out.weight_bits is None


@pytest.mark.slow
def test_from_search_to_export_weights_are_as_the_profiles_processor_takes_them(tmp_path, monkeypatch, few_images):
    monkeypatch.setattr(export_checks, "backend_names", lambda: ("onnxruntime", "openvino"))
    haswell, said = profile_in_int8(["avx2"]), []
    config = CONFIG.model_copy(update={"objectives": ("accuracy", "latency"), "budget": 3})
    run = run_search(config, tmp_path / "run", profile=haswell, on_step=said.append)
    assert run.weight_bits == 7
    assert "int8 with weights in 7 bits" in said[0]
    exact = load_supernet("fashion_mnist", weight_bits=7)
    one = run.evaluations[0]
    architecture = exact.space.architecture(one.indices)
    assert one.values["accuracy"] == exact.evaluate(architecture, "validation", precision="int8")
    export(run, "knee", tmp_path / "out", profile=profile_in_int8(["avx2", "avx512_vnni"]))
    assert int8.weight_bits_in((tmp_path / "out" / "model.onnx").read_bytes()) == 7


@pytest.mark.slow
def test_an_export_that_does_worse_than_the_search_saw_is_refused(tmp_path, monkeypatch):
    supernet = load_supernet("fashion_mnist")
    smallest = supernet.space.architecture(np.zeros_like(supernet.space.radices))
    parts = supernet.models(smallest, precision="int8")
    with pytest.raises(export_checks.ExportRefused, match=r"a search in int8 99\.00; nothing was written"):
        export_checks.check_metric(parts, supernet, 99.0, precision="int8")
