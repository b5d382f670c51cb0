"""Bad input gets one clear error: what was found, what was expected, what to do; a non-zero exit; nothing lost."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from gnomon.lut.profile_file.store import SHIPPED


@pytest.fixture
def profile_copy(profile_name, tmp_path):
    path = tmp_path / "copy.jsonl"
    shutil.copy(SHIPPED / f"{profile_name}.jsonl", path)
    return path


def test_unknown_space_suggests_the_nearest(gnomon, tmp_path):
    outcome = gnomon("profile", "--space", "ofa_mobilenet_v3", "--out", tmp_path / "p")
    assert outcome.code == 2
    assert "did you mean 'ofa_mobilenetv3'?" in outcome.err


def test_unknown_backend_lists_the_known(gnomon, tmp_path):
    outcome = gnomon("profile", "--backend", "openvno", "--out", tmp_path / "p")
    assert outcome.code == 3
    assert "known are: onnxruntime, onnxruntime:cuda" in outcome.err
    assert "'openvino'" in outcome.err


@pytest.mark.parametrize(
    ("option", "value", "hint"),
    [
        ("--objectives", "accuracy,latencyy", "did you mean 'latency'?"),
        ("--tactic", "lina", "did you mean 'linas'?"),
        ("--surrogate", "rigde", "did you mean 'ridge'?"),
        ("--budget", "0", "--budget 0"),
        ("--budget", "-5", "--budget -5"),
        ("--population", "0", "--population 0"),
        ("--partial-share", "0", "--partial-share 0"),
        ("--partial-share", "1.5", "--partial-share 1.5"),
        ("--stop-after-s", "0", "--stop-after-s 0"),
        ("--stop-gain", "-0.1", "--stop-gain -0.1"),
        ("--patience", "0", "--patience 0"),
        ("--constraint", "latncy<=2ms", "latncy"),
        ("--constraint", "latency is low", "latency is low"),
        ("--split", "train", "validation and test"),
    ],
)
def test_bad_search_settings(gnomon, tmp_path, profile_name, option, value, hint):
    outcome = gnomon("search", "--profile", profile_name, "--out", tmp_path / "run", option, value)
    assert outcome.code == 2
    assert hint in outcome.err
    assert (
        not (tmp_path / "run" / "evaluations.jsonl").exists()
        or not (tmp_path / "run" / "evaluations.jsonl").read_text()
    )


def test_latency_without_a_profile_names_the_command(gnomon, tmp_path):
    outcome = gnomon("search", "--out", tmp_path / "run")
    assert outcome.code == 2
    assert "gnomon profile" in outcome.err


def test_profile_of_another_space(gnomon, tmp_path, profile_name):
    outcome = gnomon("search", "--space", "ofa_mobilenetv3", "--objectives", "latency,macs", "--profile", profile_name,
                     "--out", tmp_path / "run")  # fmt: skip
    assert outcome.code == 2
    assert "is of space 'fashion_mnist', not 'ofa_mobilenetv3'" in outcome.err


def test_profile_of_another_precision(gnomon, profile_name):
    outcome = gnomon("lut", "check", profile_name, "--precision", "int8")
    assert outcome.code == 2
    assert "is of precision fp32, not int8" in outcome.err


def test_profile_of_another_runtime_version_is_said_field_by_field(gnomon, profile_copy):
    lines = profile_copy.read_text().splitlines()
    header = json.loads(lines[0])
    header["versions"]["onnxruntime"] = "1.0.0"
    profile_copy.write_text("\n".join([json.dumps(header), *lines[1:]]) + "\n")
    assert "versions.onnxruntime: profile 1.0.0, here" in gnomon("lut", "check", profile_copy).out


def test_truncated_profile_is_named_with_its_line(gnomon, profile_copy):
    profile_copy.write_bytes(profile_copy.read_bytes()[:-300])
    outcome = gnomon("predict", profile_copy)
    assert outcome.code == 2
    assert "copy.jsonl, line" in outcome.err


def test_damaged_profile_is_named_with_its_line(gnomon, profile_copy):
    lines = profile_copy.read_text().splitlines()
    lines[4] = lines[4].replace('"loops"', '"lops"')
    profile_copy.write_text("\n".join(lines) + "\n")
    outcome = gnomon("lut", "show", profile_copy)
    assert outcome.code == 2
    assert "line 5: " in outcome.err


def test_text_from_a_profile_is_not_markup(gnomon, profile_copy):
    lines = profile_copy.read_text().splitlines()
    header = json.loads(lines[0])
    header["device"] = "[red]$(touch pwned)<script>[/red]"
    profile_copy.write_text("\n".join([json.dumps(header), *lines[1:]]) + "\n")
    assert "[red]$(touch pwned)<script>[/red]" in gnomon("lut", "show", profile_copy).out


def test_unknown_profile_suggests_the_nearest(gnomon, profile_name):
    outcome = gnomon("predict", profile_name[:-1])
    assert outcome.code == 2
    assert profile_name in outcome.err


@pytest.mark.parametrize(
    ("arch", "said"),
    [
        ("hugest", "fashion_mnist"),
        ("0,1", "fashion_mnist"),
        ("random:x", "expected random:N with N from 1 to 100000"),
        (",".join(["9"] * 26), "fashion_mnist"),
    ],
)
def test_bad_architectures(gnomon, profile_name, arch, said):
    outcome = gnomon("predict", profile_name, "--arch", arch)
    assert outcome.code == 2
    assert said in outcome.err


@pytest.mark.slow
def test_existing_outputs_are_kept(gnomon, tmp_path, finished_run, profile_name):
    for name, arguments in {
        "p.jsonl": ("profile", "--out"),
        "m": ("export", finished_run, "--out"),
        "f.png": ("pareto", finished_run, "--plot"),
        "l.svg": ("lut", "show", profile_name, "--plot"),
        "c.toml": ("search", "--out", tmp_path / "r", "--save-config"),
    }.items():
        path = tmp_path / name
        path.write_text("precious")
        outcome = gnomon(*arguments, path)
        assert outcome.code == 2
        assert "is there already" in outcome.err
        assert path.read_text() == "precious"


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["file/below", "/proc/gnomon"])
def test_unwritable_outputs(gnomon, tmp_path, finished_run, profile_name, folder):
    (tmp_path / "file").write_text("in the way")
    target = tmp_path / folder
    for arguments in (
        ("profile", "--out", target / "p.jsonl"),
        ("search", "--profile", profile_name, "--out", target),
        ("export", finished_run, "--out", target / "m"),
        ("pareto", finished_run, "--plot", target / "f.png"),
    ):
        outcome = gnomon(*arguments)
        assert outcome.code == 2, arguments
        assert "cannot" in outcome.err


def test_plot_of_unknown_kind(gnomon, finished_run, tmp_path):
    outcome = gnomon("pareto", finished_run, "--plot", tmp_path / "front.gif")
    assert outcome.code == 2
    assert ".png, .svg, .pdf" in outcome.err


@pytest.mark.slow
def test_checkpoint_of_another_network_names_the_tensor(gnomon, tmp_path, profile_name):
    from gnomon.supernets import load_space
    from gnomon.supernets.checkpoints.own_files import save_weights
    from gnomon.supernets.elastic import ElasticNetwork

    network = ElasticNetwork(load_space("fashion_mnist"))
    del network.slots["block2_1"]
    save_weights(network, tmp_path / "other.safetensors")
    outcome = gnomon("search", "--profile", profile_name, "--out", tmp_path / "run", "--checkpoint",
                     tmp_path / "other.safetensors")  # fmt: skip
    assert outcome.code == 2
    assert "belongs to another network: tensor 'slots.block2_1" in outcome.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not a checkpoint"),
        (b"PK\x03\x04 a pickle in disguise", "is a damaged torch file"),
        (b"\xff" * 64, "is not a checkpoint"),
    ],
)
def test_what_is_no_checkpoint_is_refused(gnomon, tmp_path, profile_name, content, said):
    (tmp_path / "w.safetensors").write_bytes(content)
    outcome = gnomon("search", "--profile", profile_name, "--out", tmp_path / "run", "--checkpoint",
                     tmp_path / "w.safetensors")  # fmt: skip
    assert outcome.code == 2
    assert said in outcome.err


def test_an_absent_checkpoint_is_told_where_its_authors_publish_it(gnomon, tmp_path):
    outcome = gnomon("search", "--space", "ofa_mobilenetv3:width=1.2", "--objectives", "accuracy,macs", "--out",
                     tmp_path / "run", "--checkpoint", tmp_path / "absent")  # fmt: skip
    assert outcome.code == 2
    assert "expected is ofa_mbv3_d234_e346_k357_w1.2 (published at https://" in outcome.err


def test_space_without_weights_says_what_needs_none(gnomon, tmp_path):
    outcome = gnomon("search", "--space", "ofa_mobilenetv3", "--objectives", "accuracy,macs", "--out", tmp_path / "r")
    assert outcome.code == 2
    assert "--checkpoint FILE" in outcome.err


def test_missing_runtime_names_the_command_that_installs_it(gnomon, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    outcome = gnomon("profile", "--backend", "openvino", "--out", tmp_path / "p.jsonl")
    assert outcome.code == 3
    assert "pip install" in outcome.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "packages"),
    [
        ("torch", "'torch>=2.6' 'safetensors"),
        ("sklearn", "'pymoo>=0.6.2' 'moocore"),
        ("pymoo", "'pymoo>=0.6.2' 'moocore"),
    ],
)
def test_missing_package_is_named_with_all_that_it_is_used_with(
    gnomon, tmp_path, profile_name, monkeypatch, module, packages
):
    loaded = [
        name for name in sys.modules if name.split(".")[0] == module or name.startswith("gnomon.supernets.elastic")
    ]
    for name in loaded:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    arguments = ("--tactic", "linas", "--budget", 4, "--population", 2, "--surrogate", "ridge")
    outcome = gnomon("search", "--profile", profile_name, "--out", tmp_path / "run", *arguments)
    assert outcome.code == 3
    assert f"this needs {module}" in outcome.err
    assert f", which is not installed: pip install {packages}" in outcome.err


@pytest.mark.slow
def test_unsupported_precision_is_refused_before_measuring(gnomon, tmp_path):
    outcome = gnomon("profile", "--precision", "fp16", "--out", tmp_path / "p.jsonl")
    assert outcome.code == 3
    assert "times fp32 or int8 on the cpu; asked for fp16" in outcome.err
    assert list(tmp_path.iterdir()) == []


def test_infeasible_rule_names_the_nearest(gnomon, finished_run, tmp_path):
    for arguments in (("pareto", finished_run), ("export", finished_run, "--out", tmp_path / "m")):
        outcome = gnomon(*arguments, "--pick", "latency<=1us")
        assert outcome.code == 2
        assert "nearest" in outcome.err
    assert not (tmp_path / "m").exists()


def test_run_folder_of_another_search_is_refused(gnomon, finished_run, profile_name):
    before = (finished_run / "evaluations.jsonl").read_bytes()
    outcome = gnomon("search", "--profile", profile_name, "--out", finished_run, "--seed", 5)
    assert outcome.code == 2
    assert "seed" in outcome.err
    assert (finished_run / "evaluations.jsonl").read_bytes() == before


def test_damaged_run_is_named_with_its_line(gnomon, finished_run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(finished_run, folder)
    path = folder / "evaluations.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[1][:20], *lines[2:]]) + "\n")
    outcome = gnomon("pareto", folder)
    assert outcome.code == 2
    assert "line 2" in outcome.err


def test_no_run_in_the_folder(gnomon, tmp_path):
    outcome = gnomon("pareto", tmp_path)
    assert outcome.code == 2
    assert str(tmp_path) in outcome.err


@pytest.mark.parametrize("content", ["budget = ", "budgt = 5\nspace = 'fashion_mnist'", "space = 3"])
def test_bad_settings_file(gnomon, tmp_path, content):
    path = tmp_path / "s.toml"
    path.write_text(content)
    outcome = gnomon("search", "--config", path, "--out", tmp_path / "run")
    assert outcome.code == 2
    assert outcome.err.startswith("error: ")


def test_unknown_verb_and_option_are_usage_errors(gnomon):
    assert gnomon("serch").code == 2
    assert gnomon("profile", "--thread", "2").code == 2


def test_strict_refuses_a_poor_profile(gnomon, profile_copy):
    # Networks that no table could explain: their times shuffled among them.
    lines = [json.loads(line) for line in profile_copy.read_text().splitlines()]
    networks = [line for line in lines if line["record"] == "network"]
    times = [{field: line[field] for field in ("loops", "block_us", "at_s")} for line in networks]
    for line, other in zip(networks, times[::-1]):
        line.update(other)
    Path(profile_copy).write_text("".join(json.dumps(line) + "\n" for line in lines))
    outcome = gnomon("lut", "check", profile_copy, "--strict")
    assert outcome.code == 4
    assert "misses whole networks by" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("--from", "nowhere.jsonl"), "no profile at nowhere.jsonl"),
        (("--from", "ofa_mobilenetv3/amd-epyc-2c.openvino.fp32.b1.t1"), "is of space 'ofa_mobilenetv3'"),
        (("--from", "fashion_mnist/amd-epyc-2c.openvino.fp32.b1.t1", "--samples", "9"), "10"),
    ],
)
def test_a_profile_cannot_be_transferred_from_anything(gnomon, tmp_path, arguments, hint):
    outcome = gnomon("profile", "--out", tmp_path / "p.jsonl", *arguments)
    assert outcome.code == 2
    assert hint in outcome.err
    assert list(tmp_path.iterdir()) == []
