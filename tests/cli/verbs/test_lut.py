import json
import shutil
import sys

import pytest

from gnomon.lut import shipped_profiles
from gnomon.lut.profile_file.store import SHIPPED


@pytest.fixture
def profile_copy(profile_name, tmp_path):
    path = tmp_path / "copy.jsonl"
    shutil.copy(SHIPPED / f"{profile_name}.jsonl", path)
    return path


def rewrite(path, change):
    """Change a profile's records in place; records for which the function returns None are dropped."""
    records = [change(json.loads(line)) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(record) + "\n" for record in records if record is not None))


def slower(factor, chosen):
    def change(record):
        if record["record"] == "layer" and chosen(record["key"]):
            record["block_us"] = [[us * factor for us in visit] for visit in record["block_us"]]
        return record

    return change


@pytest.mark.slow
def test_check_prints_findings_and_strict_refuses_errors(gnomon, profile_copy):
    rewrite(profile_copy, slower(1000, lambda key: key.startswith("stem")))
    outcome = gnomon("lut", "check", profile_copy)
    assert outcome.code == 0
    assert "error    mixed_units: 1 of" in outcome.out
    strict = gnomon("lut", "check", profile_copy, "--strict")
    assert strict.code == 4
    assert "mixed_units" in strict.err


def test_check_speaks_json(gnomon, profile_copy):
    rewrite(profile_copy, slower(1000, lambda key: key.startswith("stem")))
    found = gnomon("lut", "check", profile_copy, "--json").json
    (finding,) = (finding for finding in found["findings"] if finding["severity"] == "error")
    assert finding["name"] == "mixed_units"
    assert finding["keys"][0].startswith("stem")
    assert found["quality"] in ("good", "fair", "poor")


def test_check_of_a_profile_without_findings_exits_0_under_strict(gnomon):
    outcome = gnomon("lut", "check", next(n for n in shipped_profiles() if n.startswith("ofa")), "--strict")
    assert outcome.code == 0


@pytest.mark.slow
def test_diff_prints_the_environment_first_then_the_layers(gnomon, profile_name, profile_copy):
    def later(record):
        if record["record"] == "header":
            record["versions"]["onnxruntime"] = "9.9.9"
        return slower(1.5, lambda key: key.startswith("head(64"))(record)

    rewrite(profile_copy, later)
    outcome = gnomon("lut", "diff", profile_name, profile_copy)
    assert outcome.code == 0
    assert outcome.out.index("versions.onnxruntime: ") < outcome.out.index("layers   1 of")
    assert "-> 9.9.9" in outcome.out
    assert "x1.500" in outcome.out
    assert "slower" in outcome.out
    everything = gnomon("lut", "diff", profile_name, profile_copy, "--all").out
    assert everything.count("mbconv(") > 100
    found = gnomon("lut", "diff", profile_name, profile_copy, "--json").json
    assert [layer["key"][:7] for layer in found["layers"] if layer["verdict"] == "slower"] == ["head(64"]
    assert found["environment"][0] == {
        "field": "versions.onnxruntime",
        "a": found["environment"][0]["a"],
        "b": "9.9.9",
    }


def test_diff_of_a_profile_with_itself_says_so(gnomon, profile_name):
    outcome = gnomon("lut", "diff", profile_name, profile_name)
    assert "the environments agree in every field" in outcome.out
    assert "no layer changed" in outcome.out


@pytest.mark.slow
def test_diff_lists_a_few_of_many_changes_and_counts_the_rest(gnomon, profile_name, profile_copy):
    rewrite(profile_copy, slower(2, lambda key: True))
    outcome = gnomon("lut", "diff", profile_name, profile_copy)
    assert "common factor x2.000" in outcome.out
    assert "more changed; list all layers with --all" in outcome.out


def test_diff_of_spaces_without_a_common_layer_is_bad_input(gnomon):
    spaces = {name.split("/")[0]: name for name in shipped_profiles()}
    outcome = gnomon("lut", "diff", spaces["fashion_mnist"], spaces["ofa_mobilenetv3"])
    assert outcome.code == 2
    assert "no measured layer in common" in outcome.err


def slowest(gnomon, profile):
    """Return key and time of the three slowest layers that are shown."""
    return [line.split()[:2] for line in gnomon("lut", "show", profile, "--layers", 3).out.splitlines()[-4:-1]]


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_export_and_import_lead_back(gnomon, profile_name, tmp_path, suffix):
    table, profile = tmp_path / f"t.{suffix}", tmp_path / "p.jsonl"
    assert gnomon("lut", "export", profile_name, "--out", table).code == 0
    outcome = gnomon("lut", "import", table, "--out", profile)
    assert outcome.code == 0
    assert "not verified" in outcome.out
    assert slowest(gnomon, profile) == slowest(gnomon, profile_name)
    (found,) = gnomon("predict", profile, "--arch", "smallest", "--json").json["architectures"]
    assert found["latency_us"] > 0
    assert (found["low_us"], found["high_us"]) == (None, None)
    assert "unknown" in gnomon("predict", profile, "--arch", "smallest").out


def test_export_says_which_layers_the_format_cannot_hold(gnomon, profile_name, tmp_path):
    outcome = gnomon("lut", "export", profile_name, "--out", tmp_path / "t.txt", "--format", "ofa_yaml")
    assert outcome.code == 0
    assert "left out head(" in outcome.err
    assert (tmp_path / "t.txt").read_text().splitlines()[1].startswith("expanded_conv-input:")


def test_import_of_a_published_table_needs_the_conditions(gnomon, tmp_path):
    name = next(n for n in shipped_profiles() if n.startswith("ofa_mobilenetv3/"))
    gnomon("lut", "export", name, "--out", tmp_path / "t.yaml")
    outcome = gnomon("lut", "import", tmp_path / "t.yaml", "--out", tmp_path / "p.jsonl", "--space", "ofa_mobilenetv3")
    assert outcome.code == 2
    assert "--backend BACKEND --device DEVICE" in outcome.err
    given = ("--space", "ofa_mobilenetv3", "--backend", "tflite", "--device", "phone", "--threads", 4)
    assert gnomon("lut", "import", tmp_path / "t.yaml", "--out", tmp_path / "p.jsonl", *given).code == 0
    assert json.loads((tmp_path / "p.jsonl").read_text().splitlines()[0])["source"]["kind"] == "imported"


@pytest.mark.slow
def test_import_refuses_findings_unless_accepted(gnomon, profile_name, tmp_path):
    table, profile = tmp_path / "t.csv", tmp_path / "p.jsonl"
    gnomon("lut", "export", profile_name, "--out", table)
    lines = table.read_text().splitlines()
    key, _, *rest = lines[-1].rsplit(",", 3)
    table.write_text("\n".join([*lines[:-1], ",".join([key, "0.0", *rest])]) + "\n")
    outcome = gnomon("lut", "import", table, "--out", profile)
    assert outcome.code == 2
    assert "1 of 154 times are zero" in outcome.err
    assert "--accept-findings" in outcome.err
    assert not profile.exists()
    accepted = gnomon("lut", "import", table, "--out", profile, "--accept-findings")
    assert accepted.code == 0
    assert "error    not_positive" in accepted.out


@pytest.mark.parametrize(
    ("module", "suffix", "package"), [("pyarrow", "parquet", "pyarrow>=17"), ("yaml", "yaml", "pyyaml>=6.0")]
)
def test_a_missing_package_is_named(gnomon, profile_name, tmp_path, monkeypatch, module, suffix, package):
    (tmp_path / f"t.{suffix}").write_text("a: {mean: 1}\n")
    for name in [name for name in sys.modules if name.split(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    outcome = gnomon("lut", "import", tmp_path / f"t.{suffix}", "--out", tmp_path / "p.jsonl")
    assert outcome.code == 3
    assert f"pip install '{package}'" in outcome.err


@pytest.mark.parametrize("command", ["list", "show", "check", "diff", "export", "import"])
def test_every_command_has_help(gnomon, command):
    assert gnomon("lut", command, "--help").code == 0


@pytest.mark.slow
def test_existing_outputs_are_kept(gnomon, profile_name, tmp_path):
    gnomon("lut", "export", profile_name, "--out", tmp_path / "t.csv")
    for arguments in (("export", profile_name), ("import", tmp_path / "t.csv")):
        path = tmp_path / "precious.csv"
        path.write_text("precious")
        outcome = gnomon("lut", *arguments, "--out", path)
        assert outcome.code == 2
        assert "that Gnomon wrote; choose another --out" in outcome.err
        assert path.read_text() == "precious"


def test_lut_shows_the_verified_error_beside_the_environment(gnomon, profile_name):
    outcome = gnomon("lut", "show", profile_name)
    assert "held-out networks (repeat noise" in outcome.out
    assert "quality" in outcome.out


def test_lut_list_names_every_shipped_profile(gnomon):
    from gnomon.lut import shipped_profiles

    assert gnomon("lut", "list", "--json").json == list(shipped_profiles())


def test_lut_check_accepts_a_shipped_profile(gnomon, profile_name):
    assert gnomon("lut", "check", profile_name, "--space", "fashion_mnist", "--precision", "fp32").code == 0
