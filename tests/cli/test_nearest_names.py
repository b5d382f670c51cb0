"""A name that is nearly right is answered with the right one, whatever kind of name it is."""

import pytest

PROFILE = "fashion_mnist/amd-epyc-2c.onnxruntime.fp32.b1.t1"
SEARCH = ("search", "--profile", PROFILE, "--out", "x")
LINAS = (*SEARCH, "--tactic", "linas")


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("serch",), "search"),
        (("lut", "shwo", "x"), "show"),
        (("profile", "--spcae", "fashion_mnist"), "--space"),
        (("lut", "diff", "a", "b", "--jsno"), "--json"),
        (("profile", "fashion_mnits"), "fashion_mnist"),
        (("evaluate", "ofa_mobilenetv3:widht=1.2"), "width"),
        (("train", "fashion_mnit"), "fashion_mnist"),
        (("profile", "--backend", "onnxruntme"), "onnxruntime"),
        (("profile", "--backend", "onnxruntime:openvno"), "onnxruntime:openvino"),
        (("profile", "--precision", "fp23"), "fp32"),
        (("profile", "--device", "shs://pi@host"), "ssh"),
        (("predict", PROFILE.replace("time", "tme")), PROFILE),
        (("predict", PROFILE, "--arch", "smalest"), "smallest"),
        (("evaluate", "fashion_mnist", "--precision", "in8"), "int8"),
        (("evaluate", "fashion_mnist", "--split", "tset"), "test"),
        (("data", "prepare", "fashion-mnits"), "fashion-mnist"),
        (("lut", "import", "t.csv", "--out", "p.jsonl", "--format", "cvs"), "csv"),
        ((*SEARCH, "--tactic", "gnomn"), "gnomon"),
        ((*LINAS, "--surrogate", "rigde"), "ridge"),
        ((*LINAS, "--algorithm", "nsag2"), "nsga2"),
        ((*SEARCH, "--objectives", "acuracy,latency"), "accuracy"),
        ((*SEARCH, "--constraint", "latncy<=2ms"), "latency"),
        ((*SEARCH, "--split", "validaton"), "validation"),
    ],
)
def test_the_nearest_name_is_suggested(gnomon, tmp_path, monkeypatch, arguments, meant):
    monkeypatch.chdir(tmp_path)
    outcome = gnomon(*arguments)
    assert outcome.code in (2, 3)
    assert f"id you mean {meant!r}?" in outcome.err, outcome.err
    assert len(outcome.err.strip().splitlines()) == 1


def test_a_name_like_no_other_gets_no_suggestion(gnomon):
    assert "did you mean" not in gnomon("profile", "--zzzzzzzz").err
