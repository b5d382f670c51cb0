"""`gnomon doctor`: what it prints, and when it fails."""

import re
import socket

import pytest

from gnomon.profilers import CoreNoise
from gnomon.profilers.machine.noise import NoiseCause
from gnomon.supernets import threads


def test_doctor_speaks_json(gnomon):
    found = gnomon("doctor", "--json").json
    assert found["verdict"] in ("ok", "warn", "bad")
    assert {"name", "severity", "fix"} <= set(found["causes"][0])
    assert {"ina", "nvml", "rapl"} == {counter["name"] for counter in found["energy_counters"]}
    assert set(found["validation"]) == {"count", "count_because", "waits", "busy"}


def test_what_doctor_says_as_json_can_be_posted(gnomon, monkeypatch, tmp_path):
    """Somebody whose runtime lies in the home folder does not tell who they are."""
    from gnomon.profilers.machine import hardware

    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("LOGNAME", "ada")
    monkeypatch.setattr(socket, "gethostname", lambda: "engine.lovelace.example")
    causes = [NoiseCause("load", "bad", "of ada on engine", "engine.lovelace.example is busy", "/home/ada/lib/x.so")]
    monkeypatch.setattr(hardware, "noise_causes", lambda: causes)
    monkeypatch.setattr(hardware, "core_noise", lambda **_: watched(*(20.0,) * 9))
    outcome = gnomon("doctor", "--json")
    assert outcome.json["causes"][0]["fix"] == "~/lib/x.so"
    assert not re.search("ada|lovelace|engine", outcome.out)
    assert {"gnomon", "python", "numpy", "onnxruntime"} <= set(outcome.json["versions"])


def test_only_whole_words_are_names():
    from gnomon.cli.printing.anonymous import without_names

    said = {"a": ["vm on vm-2", "kvm", 3, None], "b": {"c": "/home/vm/x"}}
    assert without_names(said, {"vm": "HOST", "/home/vm": "~"}) == {
        "a": ["HOST on HOST-2", "kvm", 3, None],
        "b": {"c": "~/x"},
    }


def watched(*readings_us):
    return CoreNoise(tuple(0.1 * place for place in range(len(readings_us))), readings_us)


@pytest.mark.parametrize(("readings_us", "code"), [((20.0,) * 20, 0), ((*(20.0,) * 4, *(30.0,) * 46), 4)])
def test_doctor_is_strict_about_the_verdict_only_when_asked(gnomon, monkeypatch, readings_us, code):
    from gnomon.profilers.machine import hardware

    monkeypatch.setattr(hardware, "core_noise", lambda **_: watched(*readings_us))
    assert gnomon("doctor").code == 0
    outcome = gnomon("doctor", "--strict")
    assert outcome.code == code
    assert ("too noisy to measure on" in outcome.err) == (code == 4)
    assert "before `gnomon profile`" in outcome.out
    assert ("longest 4500 ms" in outcome.out) == (code == 4)


@pytest.mark.parametrize(
    ("busy", "told"),
    [(0.0, "validation, as by `gnomon search`: 4 threads"), (12.0, "about 2.0 times as slow as alone")],
)
def test_doctor_says_with_how_many_threads_a_search_validates(gnomon, monkeypatch, busy, told):
    from gnomon.profilers.machine import hardware

    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(hardware, "core_noise", lambda **_: watched(*(20.0,) * 9))
    monkeypatch.setattr(threads, "processors", lambda: threads.Processors(8, 8, 4, busy))
    out = gnomon("doctor").out
    assert told in out
    assert "waiting asleep" in out
    assert ("this machine is busy" in out) == (busy > 0)
