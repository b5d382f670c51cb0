import dataclasses
import json
import sys

import pytest

from gnomon.lut import ProfileDamaged, load_profile, shipped_profiles
from gnomon.lut.latency_model.table import PredictedLayer
from gnomon.lut.lint import has_errors, lint_profile
from gnomon.lut.profile_file.schema import AnchorRecord
from gnomon.lut.profile_file.store import SHIPPED

OFA = next(name for name in shipped_profiles() if name.startswith("ofa_mobilenetv3/") and ".onnxruntime." in name)


@pytest.fixture
def profile(monkeypatch):
    """A shipped profile in the environment it was measured in."""
    loaded = load_profile(OFA)
    monkeypatch.setattr("gnomon.lut.lint.profile.environment_differences", lambda _: ())
    return loaded


def names(profile):
    return [finding.name for finding in lint_profile(profile)]


@pytest.mark.parametrize("name", shipped_profiles())
def test_shipped_profiles_have_no_errors(name):
    assert not has_errors(lint_profile(load_profile(name)))


def test_a_clean_profile_has_no_finding(profile):
    assert lint_profile(profile) == ()


def with_table(profile, change, failures=()):
    measurements = {key: change(key, m) for key, m in profile.table.measurements.items()}
    kept = {key: m for key, m in measurements.items() if m is not None}
    return dataclasses.replace(
        profile, table=dataclasses.replace(profile.table, measurements=kept, failures=dict(failures))
    )


def times(measurement, factor):
    blocks = tuple(tuple(us * factor for us in visit) for visit in measurement.block_us)
    return dataclasses.replace(measurement, block_us=blocks)


@pytest.mark.parametrize(("factor", "name"), [(1e-3, "wrong_unit"), (1e3, "wrong_unit"), (1.5, None), (0.7, None)])
def test_a_unit_is_told_from_a_device(profile, factor, name):
    assert names(with_table(profile, lambda _, m: times(m, factor))) == ([name] if name else [])


def test_one_row_of_milliseconds_is_named(profile):
    key = next(key for key in profile.table.measurements if "kernel=5" in key)
    (finding,) = lint_profile(with_table(profile, lambda k, m: times(m, 1e-3) if k == key else m))
    assert (finding.name, finding.keys) == ("mixed_units", (key,))


def test_sessions_whose_layers_differ_by_a_factor_are_found(profile):
    late = set(list(profile.table.measurements)[::3])
    assert names(with_table(profile, lambda k, m: times(m, 1.3) if k in late else m)) == ["two_sessions"]


def test_layers_that_a_transferred_profile_predicts_are_not_missing(profile):
    predicted = {key: PredictedLayer(m.value_us, 0.0, "predicted") for key, m in profile.table.measurements.items()}
    table = dataclasses.replace(profile.table, measurements={}, predicted=predicted)
    assert lint_profile(dataclasses.replace(profile, table=table)) == ()


def test_a_failed_layer_is_said_once_with_its_reason(profile):
    key = next(key for key in profile.table.measurements if key.startswith("head"))
    (finding,) = lint_profile(with_table(profile, lambda k, m: None if k == key else m, {key: "out of memory"}))
    assert (finding.severity, finding.name, finding.keys) == ("error", "failures", (key,))
    assert "out of memory" in finding.text
    assert "100 % of the sub-networks" in finding.text


def test_a_failed_network_is_a_warning(profile):
    (finding,) = lint_profile(with_table(profile, lambda _, m: m, {"network:0,0": "crashed"}))
    assert (finding.severity, finding.name) == ("warning", "failures")


def anchors(*sessions):
    return tuple(
        AnchorRecord(key="anchor:x", session=f"s{n}", t_s=float(t), value_us=us)
        for n, values in enumerate(sessions)
        for t, us in enumerate(values)
    )


@pytest.mark.parametrize(
    ("sessions", "said"),
    [
        (([100.0] * 4, [122.0] * 4), "s0 and 122 us in session s1 (x1.22)"),
        (([100.0] * 8 + [125.0] * 8,), "at the start of session s0 and 125 us at its end (x1.25)"),
        (([130.0] * 8 + [100.0] * 8,), "(x0.77)"),
    ],
)
@pytest.mark.parametrize(("starts_s", "severity"), [({}, "error"), ({"0": 0.0}, "warning")])
def test_anchors_that_disagree_are_an_error_unless_the_drift_can_be_divided_out(
    profile, sessions, said, starts_s, severity
):
    header = profile.header.model_copy(update={"session_starts_s": starts_s})
    (finding,) = lint_profile(dataclasses.replace(profile, header=header, anchors=anchors(*sessions)))
    assert (finding.severity, finding.name) == (severity, "anchors_disagree")
    assert said in finding.text


@pytest.mark.parametrize(
    "sessions",
    [(), ([100.0],), ([100.0] * 8, [109.0] * 8), ([100.0, 180.0, 100.0, 100.0] * 5,), ([100.0] * 3 + [150.0] * 3,)],
)
def test_disturbed_or_few_anchors_are_no_disagreement(profile, sessions):
    assert lint_profile(dataclasses.replace(profile, anchors=anchors(*sessions))) == ()


def test_a_space_that_changed_is_an_error(profile):
    header = profile.header.model_copy(update={"space_digest": "0" * 16})
    assert names(dataclasses.replace(profile, header=header)) == ["other_space"]


def test_a_space_of_a_package_that_is_not_here_is_an_error(profile):
    header = profile.header.model_copy(update={"space": "of_someone_else"})
    assert names(dataclasses.replace(profile, header=header)) == ["other_space"]


def test_another_runtime_is_a_warning_field_by_field(monkeypatch):
    loaded = load_profile(OFA)
    old = loaded.header.model_copy(update={"versions": {**loaded.header.versions, "onnxruntime": "1.0.0"}})
    findings = lint_profile(dataclasses.replace(loaded, header=old))
    (finding,) = (finding for finding in findings if finding.name == "environment")
    assert finding.severity == "warning"
    assert "versions.onnxruntime: profile 1.0.0, here" in finding.text
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    (finding,) = (finding for finding in lint_profile(loaded) if finding.name == "environment")
    assert "onnxruntime is not installed here" in finding.text


def test_a_layer_on_two_lines_is_damage(tmp_path):
    lines = (SHIPPED / f"{OFA}.jsonl").read_text().splitlines()
    repeated = json.loads(lines[3])
    repeated["block_us"] = [[1.0]]
    path = tmp_path / "twice.jsonl"
    path.write_text("\n".join([*lines[:9], json.dumps(repeated), *lines[9:]]) + "\n")
    with pytest.raises(ProfileDamaged, match=r"line 10: layer .* was on line 4 already") as raised:
        load_profile(path)
    assert raised.value.line_number == 10
