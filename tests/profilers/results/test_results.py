import re
from contextlib import nullcontext
from pathlib import Path

import pytest

from gnomon.profilers import JournalDamaged, fingerprint, read_results
from gnomon.profilers.journal import TornLine
from gnomon.profilers.testing import sign_journal

TIMES = ("block_us", "probe_us", "paced_us", "before_us", "after_us", "start_probe_us", "first_us")
SAMPLE = Path(__file__).parents[1] / "samples" / "results-v1.jsonl"


def test_a_file_of_version_1_can_be_read_forever():
    results = read_results(SAMPLE)
    assert results.is_complete
    assert results.backend == "fake"
    assert results.config.threads == 1
    assert {key: (found.value_us, found.visits) for key, found in results.measurements.items()} == {
        "layer0": (100.0, 2),
        "network": (9_000.0, 2),
    }
    assert [anchor.value_us for anchor in results.anchors] == [50.0] * 4
    assert [(failure.key, failure.reason) for failure in results.failures] == [("broken", "ModelRejected: broken")]
    assert results.sessions[0].options == {"precision": "fp32", "threads": 1}
    assert results.sessions[0].hardware.slug == "amd-epyc-2c"
    assert 0 < results.seconds < 10


def test_a_file_of_version_2_can_be_read_forever():
    results, before = read_results(SAMPLE.with_name("results-v2.jsonl")), read_results(SAMPLE)
    assert (results.visits, results.failures, results.warnings) == (before.visits, before.failures, ())
    assert [then.values["sm_clock_mhz"] for then in results.conditions] == [1530, 1500, 1470, 1440]
    assert results.conditions[2].values["clock_limited_by"] == ["power cap"]
    assert not before.conditions


def test_a_file_of_version_3_can_be_read_forever():
    results, before = read_results(SAMPLE.with_name("results-v3.jsonl")), read_results(SAMPLE)
    assert [visit.step for visit in results.visits] == [visit.step for visit in before.visits]
    layer, network = results.measurements["layer0"], results.measurements["network"]
    assert (layer.value_us, layer.is_undisturbed) == (100.0, True)
    assert network.value_us == pytest.approx(9_000, rel=0.1)  # of two clean blocks and ten corrected ones
    assert not network.is_undisturbed
    assert results.contention.slow_down == pytest.approx(1.8)
    assert 0 < results.contention.time_share < 0.5
    assert all(anchor.clean for anchor in results.anchors)
    assert before.contention is None


def test_a_file_of_version_4_can_be_read_forever():
    results = read_results(SAMPLE.with_name("results-v4.jsonl"))
    seen = results.applications["network"]
    assert (len(seen.load_ms), seen.first_us, seen.paced.value_us) == (5, (9_000.0,) * 5, 9_000.0)
    assert seen.paced.visits == 5
    assert not read_results(SAMPLE.with_name("results-v3.jsonl")).applications


@pytest.mark.parametrize("wrong", ['"probe_us":[20.0]', '"probe_us":[0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0]'])
def test_a_probe_that_is_not_of_these_blocks_is_refused(tmp_path, wrong):
    lines = SAMPLE.with_name("results-v3.jsonl").read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if '"record":"visit"' in line)
    lines[at] = lines[at].replace('"probe_us":', wrong + ',"was":', 1)
    (tmp_path / "results.jsonl").write_text("\n".join(lines) + "\n")
    with pytest.raises(JournalDamaged, match=f"line {at + 1}"):
        read_results(tmp_path / "results.jsonl")


@pytest.mark.parametrize("kind", ["options", "done", "conditions", "visit"])
@pytest.mark.parametrize("wrong", ['"soon"', '"NaN"', "true", "[]", "1e999", "1" + "0" * 400])
def test_a_time_that_is_no_number_is_named_by_its_line(tmp_path, kind, wrong):
    lines = SAMPLE.with_name("results-v3.jsonl").read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if f'"record":"{kind}"' in line)
    lines[at] = (
        lines[at].replace("{", f'{{"t_s":{wrong},', 1)
        if '"t_s"' not in lines[at]
        else re.sub('"t_s":[0-9.]+', f'"t_s":{wrong}', lines[at])
    )
    (tmp_path / "results.jsonl").write_text("\n".join(lines) + "\n")
    with pytest.raises(JournalDamaged, match=f"line {at + 1}: .*is no finite number"):
        read_results(tmp_path / "results.jsonl")


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize("wrong", ["0.0", "-1.0", "5e-324", "1e300", '"1"', "true", "null", "1" + "0" * 400])
def test_a_time_that_no_inference_takes_is_named_by_its_line(tmp_path, name, wrong):
    lines = SAMPLE.with_name("results-v4.jsonl").read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if f'"{name}":' in line)
    lines[at] = re.sub(rf'("{name}":\[?)[0-9.]+', rf"\g<1>{wrong}", lines[at])
    path = tmp_path / "results.jsonl"
    path.write_text("\n".join(lines) + "\n")
    sign_journal(path)
    with pytest.raises(JournalDamaged, match=f"line {at + 1}: not a record of .* is no "):
        read_results(path)


@pytest.mark.parametrize(("name", "wrong"), [("loops", "0"), ("loops", "-3"), ("block_us", "[]")])
def test_a_visit_of_nothing_is_named_by_its_line(tmp_path, name, wrong):
    lines = SAMPLE.read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if f'"{name}":' in line)
    lines[at] = re.sub(rf'"{name}":(\[[^\]]*\]|[0-9]+)', f'"{name}":{wrong}', lines[at])
    (tmp_path / "results.jsonl").write_text("\n".join(lines) + "\n")
    with pytest.raises(JournalDamaged, match=f"line {at + 1}: .*expected one of one at least"):
        read_results(tmp_path / "results.jsonl")


@pytest.mark.parametrize("size", [0, 10])
def test_a_file_without_a_header_is_refused(tmp_path, size):
    path = tmp_path / "results.jsonl"
    path.write_bytes(SAMPLE.read_bytes()[:size])
    warned = pytest.warns(TornLine) if size else nullcontext()
    with warned, pytest.raises(JournalDamaged, match="header"):
        read_results(path)


@pytest.mark.parametrize(
    "line", ['{"record":"visit"}', '{"record":"rumour"}', "{}", '{"record":"visit","key":"a","pass":0,"slot":"x"}']
)
def test_a_line_that_is_no_record_is_named(tmp_path, line):
    path = tmp_path / "results.jsonl"
    header, *rest = SAMPLE.read_text().splitlines()
    path.write_text("\n".join([header, line, *rest]) + "\n")
    with pytest.raises(JournalDamaged, match="line 2") as caught:
        read_results(path)
    assert caught.value.line_number == 2


def test_another_version_is_refused_by_its_number(tmp_path):
    path = tmp_path / "results.jsonl"
    path.write_text(SAMPLE.read_text().replace('"version":1', '"version":99', 1))
    with pytest.raises(JournalDamaged, match=r"gnomon\.results version 99"):
        read_results(path)


def test_a_torn_last_line_is_a_warning(tmp_path):
    path = tmp_path / "results.jsonl"
    path.write_bytes(SAMPLE.read_bytes()[:-5])
    with pytest.warns(TornLine, match="torn last line"):
        results = read_results(path)
    assert not results.is_complete
    assert "torn last line" in results.warnings[0]


def test_the_fingerprint_of_this_machine_survives_a_session_record():
    hardware = fingerprint()
    assert type(hardware).from_json(hardware.to_json()) == hardware


@pytest.mark.parametrize("kind", ["visit", "session", "header"])
def test_a_record_that_would_count_twice_is_refused_with_both_lines(tmp_path, kind):
    lines = SAMPLE.read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if f'"record":"{kind}"' in line)
    (tmp_path / "results.jsonl").write_text("\n".join([*lines[:-1], lines[at], lines[-1]]) + "\n")
    with pytest.raises(JournalDamaged, match=r"repeats line|its one header") as caught:
        read_results(tmp_path / "results.jsonl")
    assert kind == "header" or caught.value.line_number == len(lines)
