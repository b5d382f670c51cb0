import json
import os

import pytest

from gnomon.cli.main import VERBS, leave_others_their_processors
from gnomon.supernets import threads


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(gnomon, verb):
    outcome = gnomon(verb, "--help")
    assert outcome.code == 0
    assert "Usage" in outcome.out


def test_version_is_printed(gnomon):
    from gnomon import __version__

    assert gnomon("--version").out.strip() == f"gnomon {__version__}"


@pytest.mark.slow
def test_doctor_speaks_json(gnomon):
    found = gnomon("doctor", "--json").json
    assert found["verdict"] in ("ok", "warn", "bad")
    assert {"name", "severity", "fix"} <= set(found["causes"][0])
    assert {"ina", "nvml", "rapl"} == {counter["name"] for counter in found["energy_counters"]}
    assert set(found["validation"]) == {"count", "count_because", "waits", "busy"}


@pytest.mark.slow
@pytest.mark.parametrize(("block_us", "code"), [((100.0,) * 9, 0), ((100.0, 150.0) * 9, 4)])
def test_doctor_is_strict_about_the_verdict_only_when_asked(gnomon, monkeypatch, block_us, code):
    from gnomon.profilers import TimerNoise
    from gnomon.profilers.machine import hardware

    monkeypatch.setattr(hardware, "timer_noise", lambda **_: TimerNoise(block_us, loops=10_000))
    assert gnomon("doctor").code == 0
    outcome = gnomon("doctor", "--strict")
    assert outcome.code == code
    assert ("too noisy to measure on" in outcome.err) == (code == 4)
    assert "before `gnomon profile`" in outcome.out
    assert ("1.50 s at the longest" in outcome.out) == (code == 4)


@pytest.mark.parametrize(
    ("busy", "told"),
    [(0.0, "validation, as by `gnomon search`: 4 threads"), (12.0, "about 2.0 times as slow as alone")],
)
def test_doctor_says_with_how_many_threads_a_search_validates(gnomon, monkeypatch, busy, told):
    from gnomon.profilers import TimerNoise
    from gnomon.profilers.machine import hardware

    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(hardware, "timer_noise", lambda **_: TimerNoise((100.0,) * 9, loops=10_000))
    monkeypatch.setattr(threads, "processors", lambda: threads.Processors(8, 8, 4, busy))
    out = gnomon("doctor").out
    assert told in out
    assert "waiting asleep" in out
    assert ("this machine is busy" in out) == (busy > 0)


def test_a_command_lets_threads_sleep_and_keeps_to_its_quota(monkeypatch):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "MKL_", "GOMP_", "KMP_"))}
    monkeypatch.setattr(os, "environ", kept)
    monkeypatch.setattr(threads, "processors", lambda: threads.Processors(8, 8, 3, 5.0))
    leave_others_their_processors()
    assert (os.environ["OMP_NUM_THREADS"], os.environ["OMP_WAIT_POLICY"]) == ("3", "passive")


@pytest.mark.slow
def test_backends_lists_both_with_versions(gnomon):
    found = {row["name"]: row["version"] for row in gnomon("backends", "--json").json}
    assert found["onnxruntime"][0].isdigit()
    assert found["openvino"][0].isdigit()


@pytest.mark.slow
def test_backends_lists_variants_with_their_devices_and_what_absent_ones_need(gnomon, monkeypatch):
    import onnxruntime

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    found = {row["name"]: row for row in gnomon("backends", "--json").json}
    assert (found["openvino:npu"]["device"], found["onnxruntime:xnnpack"]["device"]) == ("npu", "cpu")
    assert found["onnxruntime:cuda"]["device"] == "gpu"
    assert found["onnxruntime:cuda"]["version"] == "not available"
    assert "onnxruntime-gpu" in found["onnxruntime:cuda"]["install"]


@pytest.mark.slow
def test_spaces_lists_sizes(gnomon):
    found = {row["space"]: row for row in gnomon("spaces", "--json").json}
    assert found["ofa_mobilenetv3"]["genes"] == 45
    assert found["fashion_mnist"]["weights"] == "ship"


def test_lut_shows_the_verified_error_beside_the_environment(gnomon, profile_name):
    outcome = gnomon("lut", "show", profile_name)
    assert "held-out networks (repeat noise" in outcome.out
    assert "quality" in outcome.out


@pytest.mark.slow
def test_lut_list_names_every_shipped_profile(gnomon):
    from gnomon.lut import shipped_profiles

    assert gnomon("lut", "list", "--json").json == list(shipped_profiles())


def test_lut_check_accepts_a_shipped_profile(gnomon, profile_name):
    assert gnomon("lut", "check", profile_name, "--space", "fashion_mnist", "--precision", "fp32").code == 0


def test_predict_prints_intervals_and_the_verified_error(gnomon, profile_name):
    outcome = gnomon("predict", profile_name, "--arch", "largest", "--arch", "random:2", "--json")
    found = outcome.json["architectures"]
    assert len(found) == 3
    assert all(row["low_us"] < row["latency_us"] < row["high_us"] for row in found)
    assert outcome.json["verified"]["networks"] >= 10


@pytest.mark.slow
def test_pareto_front_and_pick(gnomon, finished_run):
    found = gnomon("pareto", finished_run, "--pick", "knee", "--json").json
    assert found["pick"] in {row["id"] for row in found["front"]}
    assert found["trace"] == sorted(found["trace"])
    assert "<- pick" in gnomon("pareto", finished_run, "--pick", "knee").out


@pytest.mark.slow
def test_plots_are_pictures(gnomon, finished_run, profile_name, tmp_path):
    png, svg = tmp_path / "front.png", tmp_path / "lut.svg"
    assert gnomon("pareto", finished_run, "--plot", png).code == 0
    assert gnomon("lut", "show", profile_name, "--plot", svg).code == 0
    assert png.read_bytes().startswith(b"\x89PNG")
    assert "<svg" in svg.read_text()


def test_finished_run_is_shown_again_not_repeated(gnomon, finished_run, profile_name):
    before = (finished_run / "evaluations.jsonl").read_bytes()
    arguments = ("--profile", profile_name, "--tactic", "random", "--budget", 6, "--population", 3)
    assert gnomon("search", "--out", finished_run, *arguments).code == 0
    assert (finished_run / "evaluations.jsonl").read_bytes() == before


def test_settings_round_trip_through_toml(gnomon, tmp_path):
    from gnomon.cli.settings import config_from_toml
    from gnomon.search import SearchConfig

    path = tmp_path / "search.toml"
    arguments = ("--budget", 7, "--constraint", "latency<=2ms", "--save-config", path)
    assert gnomon("search", "--out", tmp_path / "run", *arguments).code == 0
    assert config_from_toml(path) == SearchConfig(space="fashion_mnist", budget=7, constraints=("latency<=2ms",))
    assert not (tmp_path / "run").exists()


def test_search_offers_every_setting():
    import inspect

    import typer

    from gnomon.cli import search as verb
    from gnomon.search import SearchConfig

    app = typer.Typer()
    verb.register(app)
    options = set(inspect.signature(app.registered_commands[0].callback).parameters)
    renamed = {"constraints": "constraint", "reference": "config"}
    assert {renamed.get(name, name) for name in SearchConfig.model_fields} <= options


@pytest.mark.slow
def test_export_is_checked_and_timed(gnomon, finished_run, profile_name, tmp_path, all_images):
    outcome = gnomon("export", finished_run, "--profile", profile_name, "--out", tmp_path / "model", "--json")
    assert outcome.code == 0
    assert {parity["backend"] for parity in outcome.json["parities"]} >= {"onnxruntime", "openvino"}
    record = json.loads((tmp_path / "model" / "model.json").read_text())
    accuracy = record["metric"]
    assert (accuracy["name"], accuracy["unit"], accuracy["examples"]) == ("accuracy", "percent", 2500)
    assert abs(accuracy["onnxruntime"] - accuracy["torch"]) <= 0.1
    assert [(one["file"], one["runs"]) for one in record["models"]] == [("model.onnx", 1)]
    assert record["feeding"] is None
    assert record["companions"] == []
    assert (tmp_path / "model" / "model.onnx").stat().st_size > 10_000
    latency = record["latency"]
    assert latency["measured_us"] or latency["not_measured"]
