import dataclasses
import math

import numpy as np
import pytest

from gnomon.lut import (
    FindingsRefused,
    ProfileMismatch,
    TableOrigin,
    import_table,
    lint_profile,
    load_profile,
    shipped_profiles,
    write_table,
)
from gnomon.outputs import OutputUnusable
from gnomon.supernets import UnknownSpace

OFA = next(name for name in shipped_profiles() if name.startswith("ofa_mobilenetv3/") and ".onnxruntime." in name)
ORIGIN = TableOrigin(space="ofa_mobilenetv3", backend="tflite", device="phone", threads=4, runtime_version="2.3")


@pytest.fixture(scope="module")
def profile():
    return load_profile(OFA)


def values_of(profile):
    return {key: m.value_us for key, m in profile.table.measurements.items()}


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("shipped", shipped_profiles())
def test_an_export_imports_back_to_the_same_table_without_an_option(tmp_path, shipped, suffix):
    profile = load_profile(shipped)
    write_table(profile, tmp_path / f"t.{suffix}")
    again = import_table(tmp_path / f"t.{suffix}", tmp_path / "p.jsonl", TableOrigin()).profile
    assert values_of(again) == values_of(profile)
    for field in ("space", "space_digest", "backend", "config", "device", "created"):
        assert getattr(again.header, field) == getattr(profile.header, field)
    assert again.header.versions[again.header.backend] == profile.header.versions[again.header.backend]
    assert (again.header.source.kind, again.header.source.name) == ("imported", f"t.{suffix}")


def test_an_imported_profile_predicts_the_sum_of_its_layers_and_says_that_nothing_verified_it(tmp_path, profile):
    write_table(profile, tmp_path / "t.yaml")
    again = import_table(tmp_path / "t.yaml", tmp_path / "p.jsonl", ORIGIN).profile
    rows = again.space.sample(5, np.random.default_rng(0))
    expected = [sum(values_of(profile)[s.key] for s in again.space.layers(again.space.architecture(r))) for r in rows]
    assert again.latency.predict(rows).value_us == pytest.approx(expected)
    assert again.quality == "poor"
    assert "not verified" in again.fit.sentence()
    header = again.header
    assert (header.backend, header.device, header.versions) == ("tflite", "phone", {"tflite": "2.3"})
    assert (header.config.device, header.config.threads, header.config.precision) == ("cpu", 4, "fp32")
    assert len(header.source.sha256) == 64


def written(tmp_path, values, head=""):
    path = tmp_path / "t.csv"
    rows = "".join(f'"{key}",{us!r}\n' for key, us in values.items())
    path.write_text(f"{head}layer,latency_us\n{rows}")
    return path


def changed(profile, change, nth=20):
    return {key: change(us) if n % nth == 1 else us for n, (key, us) in enumerate(values_of(profile).items())}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda us: -us, "are negative"),
        (lambda us: 0.0, "are zero"),
        (lambda us: math.nan, "are not finite"),
        (lambda us: us / 1000, "as if in another unit"),
        (lambda us: us * 6, "as if of another device"),
    ],
)
def test_a_table_with_a_trap_is_refused_and_nothing_written(tmp_path, profile, change, said):
    path = written(tmp_path, changed(profile, change))
    with pytest.raises(FindingsRefused, match="accept=True") as raised:
        import_table(path, tmp_path / "p.jsonl", ORIGIN)
    assert [said in finding for finding in raised.value.findings] == [True]
    assert not (tmp_path / "p.jsonl").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda us: us / 1000, "Multiply them by 1000"),
        (lambda us: max(1, round(us / 200)) * 1000.0, "multiples of 1000 us"),
    ],
)
def test_a_whole_table_of_milliseconds_is_refused(tmp_path, profile, change, said):
    path = written(tmp_path, {key: change(us) for key, us in values_of(profile).items()})
    with pytest.raises(FindingsRefused) as raised:
        import_table(path, tmp_path / "p.jsonl", ORIGIN)
    assert said in str(raised.value)


def test_no_row_is_lost_when_findings_are_accepted(tmp_path, profile):
    strange = {"conv9x9": 3.0, "stem(3x9x9,activation=relu,kernel=3,out_channels=8,stride=2)": 5.0}
    values = changed(profile, lambda us: 0.0) | strange
    imported = import_table(written(tmp_path, values), tmp_path / "p.jsonl", ORIGIN, accept=True)
    table = imported.profile.table
    assert {*table.measurements, *table.failures} == set(values)
    zero = next(key for key, us in values.items() if us == 0)
    assert table.failures[zero] == "the imported table says 0 us"
    assert "names no layer" in table.failures["conv9x9"]
    assert {finding.name for finding in imported.findings} == {"not_positive", "unreadable_key", "strange_layers"}
    assert "failures" in {finding.name for finding in lint_profile(imported.profile)}


def test_layers_that_the_table_lacks_are_an_error(tmp_path, profile):
    values = values_of(profile)
    values.pop(next(key for key in values if key.startswith("stem")))
    with pytest.raises(FindingsRefused, match="100 % of the sub-networks cannot be priced"):
        import_table(written(tmp_path, values), tmp_path / "p.jsonl", ORIGIN)


def test_keys_without_a_layer_here_are_said(tmp_path, profile):
    write_table(profile, tmp_path / "t.yaml")
    with (tmp_path / "t.yaml").open("a") as file:
        file.write("maxpool-input:56x56x64-output:28x28x64:\n  mean: 0.1\n")
    imported = import_table(tmp_path / "t.yaml", tmp_path / "p.jsonl", ORIGIN)
    (finding,) = imported.findings
    assert (finding.name, finding.severity) == ("unmapped", "warning")
    assert "maxpool" in finding.text


@pytest.mark.parametrize("field", ["space", "backend", "device"])
def test_what_neither_file_nor_options_say_is_asked_for(tmp_path, profile, field):
    path, origin = written(tmp_path, values_of(profile)), dataclasses.replace(ORIGIN, **{field: None})
    with pytest.raises(ProfileMismatch, match=f"`{field}={field.upper()}`") as raised:
        import_table(path, tmp_path / "p.jsonl", origin)
    assert raised.value.fields == (field,)


@pytest.mark.parametrize(
    "origin",
    [
        TableOrigin(device="another"),
        TableOrigin(backend="openvino"),
        TableOrigin(threads=8),
        TableOrigin(batch=2),
        TableOrigin(precision="int8"),
        TableOrigin(runtime_version="0.1"),
        TableOrigin(space="fashion_mnist"),
        TableOrigin(processor="gpu"),
    ],
)
def test_options_that_contradict_the_file_are_refused(tmp_path, profile, origin):
    write_table(profile, tmp_path / "t.csv")
    with pytest.raises(ProfileMismatch, match="leave the option out"):
        import_table(tmp_path / "t.csv", tmp_path / "p.jsonl", origin)


def test_the_same_space_by_another_spelling_is_no_contradiction(tmp_path, profile):
    write_table(profile, tmp_path / "t.csv")
    origin = TableOrigin(space="ofa_mobilenetv3:width=1.0,resolution=224")
    assert import_table(tmp_path / "t.csv", tmp_path / "p.jsonl", origin).profile.header.space == "ofa_mobilenetv3"


@pytest.mark.parametrize(
    ("head", "error", "said"),
    [
        ('# space_digest: "0000"\n', ProfileMismatch, "its layers changed"),
        ('# threads: "many"\n', ProfileMismatch, "many"),
        ('# batch: "0"\n', ProfileMismatch, "batch"),
        ('# precision: "fp7"\n', ProfileMismatch, "fp7"),
        ('# space: "unheard_of"\n', UnknownSpace, "unheard_of"),
    ],
)
def test_facts_that_cannot_be_are_refused(tmp_path, profile, head, error, said):
    path = written(tmp_path, values_of(profile), head)
    origin = TableOrigin(backend="b", device="d", space=None if "unheard" in head else "ofa_mobilenetv3")
    with pytest.raises(error, match=said):
        import_table(path, tmp_path / "p.jsonl", origin)


def test_outputs_are_kept_and_unwritable_ones_said(tmp_path, profile):
    path = written(tmp_path, values_of(profile))
    (tmp_path / "p.jsonl").write_text("precious")
    for force in (False, True):
        with pytest.raises(OutputUnusable, match="is not a hardware profile that Gnomon wrote"):
            import_table(path, tmp_path / "p.jsonl", ORIGIN, force=force)
    assert (tmp_path / "p.jsonl").read_text() == "precious"
    with pytest.raises(OutputUnusable):
        import_table(path, tmp_path / "p.jsonl" / "below.jsonl", ORIGIN)
    (tmp_path / "p.jsonl").unlink()
    import_table(path, tmp_path / "p.jsonl", ORIGIN)
    assert import_table(path, tmp_path / "p.jsonl", ORIGIN, force=True).profile.header.device == "phone"
