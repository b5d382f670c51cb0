"""`gnomon finish`: the front on examples and times that the search did not use."""

import json
import re
import shutil

import pytest


@pytest.mark.slow
def test_a_finished_front_is_reported_split_by_split(gnomon, finished_run, profile_name, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(finished_run, copy)
    outcome = gnomon("finish", copy, "--profile", profile_name, "--controls", 2, "--json")
    assert outcome.code == 0, outcome.err
    found = outcome.json
    front = {row["id"]: row for row in gnomon("pareto", copy, "--json").json["front"]}
    assert [member["id"] for member in found["members"]] == list(front)
    for member in found["members"]:
        assert member["search"]["accuracy"] == front[member["id"]]["accuracy"]
        assert 50 < member["report"]["accuracy"] < 100
        assert member["final"]["accuracy"] == member["report"]["accuracy"]
        assert member["latency"]["low_us"] < member["latency"]["predicted_us"] < member["latency"]["high_us"]
    assert any(member["on_front"] for member in found["members"])
    shown = gnomon("finish", copy)
    assert shown.code == 0
    for words in (
        "accuracy validation (percent)",
        "accuracy test (percent)",
        "on the final front",
        "2 networks of the",
    ):
        assert words in shown.out
    assert (found["latency"] is None) == ("predicted, not measured" in shown.out)
    assert "stay on the final front: gnomon finish" in gnomon("pareto", copy).out
    assert gnomon("pareto", copy, "--plot", tmp_path / "f.svg").code == 0
    assert "final, on test" in svg_text(tmp_path / "f.svg")
    refused = gnomon("finish", copy, "--profile", profile_name)
    assert refused.code == 2
    assert "controls" in refused.err


def svg_text(path):
    """Return what is written in a figure, whose letters stay letters."""
    return " ".join(re.findall(r"<text[^>]*>(.*?)</text>", path.read_text()))


def predicted_us(gnomon, profile, row):
    indices = ",".join(map(str, row["indices"]))
    return gnomon("predict", profile, "--arch", indices, "--json").json["architectures"][0]["latency_us"]


@pytest.mark.slow
def test_a_front_is_shown_finished_and_exported_under_another_profile(gnomon, finished_run, profile_name, tmp_path):
    other, copy = profile_name.replace("onnxruntime", "openvino"), tmp_path / "run"
    shutil.copytree(finished_run, copy)
    shown = gnomon("pareto", copy, "--profile", other, "--json")
    assert "measured networks are priced anew by amd-epyc-2c.openvino" in shown.err
    assert len(shown.err.splitlines()) == 1
    front = {row["id"]: row for row in shown.json["front"]}
    for row in front.values():
        assert row["latency"] == predicted_us(gnomon, other, row)
    finished = gnomon("finish", copy, "--profile", other, "--controls", 0, "--json")
    assert finished.code == 0, finished.err
    assert [member["id"] for member in finished.json["members"]] == list(front)
    assert "priced by amd-epyc-2c.openvino" in gnomon("pareto", copy).out
    fastest = min(front.values(), key=lambda row: row["latency"])
    rule = f"latency<={fastest['latency']!r}us"
    exported = gnomon("export", copy, "--pick", rule, "--profile", other, "--out", tmp_path / "out", "--json")
    assert exported.code == 0, exported.err
    assert exported.json["latency"]["predicted_us"] <= fastest["latency"]
    assert exported.json["architecture"]["indices"] == fastest["indices"]
    provenance = json.loads((tmp_path / "out" / "model.json").read_text())["provenance"]
    assert provenance["searched_with"][0]["name"] == profile_name.split("/")[1]
    assert provenance["picked_with"][0]["name"] == other.split("/")[1]
    refused = gnomon(
        "finish", copy, "--profile", other.replace("fashion_mnist/", "bert_minilm/").replace("amd-epyc", "intel-xeon")
    )
    assert refused.code == 2
    assert "is of space 'bert_minilm'" in refused.err


@pytest.mark.slow
def test_a_final_front_of_an_earlier_state_is_said_and_not_drawn(gnomon, finished_run, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(finished_run, copy)
    assert gnomon("finish", copy, "--controls", 0).code == 0
    front = {row["id"] for row in gnomon("pareto", copy, "--json").json["front"]}
    lines = (copy / "evaluations.jsonl").read_text().splitlines()
    last = max(number for number, line in enumerate(lines) if json.loads(line)["id"] in front)
    assert last > 0
    (copy / "evaluations.jsonl").write_text("\n".join(lines[:last]) + "\n")
    outcome = gnomon("pareto", copy, "--plot", tmp_path / "f.png")
    assert outcome.code == 0
    assert "earlier state of the run; make it anew: finish with --force" in outcome.err
    assert "stay on the final front" not in outcome.out
    assert gnomon("finish", copy, "--controls", 0, "--force").code == 0
    assert "stay on the final front" in gnomon("pareto", copy).out


def test_a_run_of_exact_objectives_is_finished_without_measuring(gnomon, tmp_path):
    arguments = ("--objectives", "macs,params", "--tactic", "random", "--budget", 4, "--population", 2)
    assert gnomon("search", "--out", tmp_path / "run", *arguments).code == 0
    found = gnomon("finish", tmp_path / "run", "--json").json
    assert all(member["on_front"] and member["final"] == member["search"] for member in found["members"])
    assert (found["optimism"], found["latency"]) == ({}, None)
    assert gnomon("finish", tmp_path / "run").code == 0
