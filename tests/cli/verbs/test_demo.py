import pytest

from gnomon.cli.verbs import demo as verb


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_demo_runs_all_three_journeys(gnomon, tmp_path, monkeypatch):
    monkeypatch.setattr(verb, "NETWORKS", 10)
    monkeypatch.setattr(verb, "TIME_CAP_S", 2.0)
    monkeypatch.setattr(verb, "BUDGET", 6)
    monkeypatch.setattr(verb, "POPULATION", 3)
    outcome = gnomon("demo", "--out", tmp_path / "demo")
    assert outcome.code == 0, outcome.err
    written = {path.name for path in (tmp_path / "demo").iterdir()}
    assert written == {
        "onnxruntime.jsonl",
        "onnxruntime.png",
        "openvino.jsonl",
        "openvino.png",
        "run",
        "front.png",
        "exported",
        "report.html",
    }
    for word in ("noise", "error", "front", "parity", "accuracy", "measured"):
        assert word in outcome.out
