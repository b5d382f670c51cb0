import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gnomon.lut import FitReport, LatencyTable, ProfileDamaged, UnknownProfile, load_profile, shipped_profiles
from gnomon.lut.profile_file.lines import validated
from gnomon.lut.profile_file.schema import SCHEMA_VERSION, FailureRecord, LayerRecord
from gnomon.lut.profile_file.store import parse, read_records, seal
from gnomon.profilers.timing.measurement import Measurement
from gnomon.supernets import Architecture, InvalidArchitecture

SAMPLES = Path(__file__).parents[1] / "samples"
SAMPLE, NEWEST = SAMPLES / "profile_v3.jsonl", SAMPLES / "profile_v6.jsonl"


@pytest.fixture
def changed(tmp_path):
    """Write the sample with one record changed by a function, and return its path."""

    def write(kind, change):
        records = [json.loads(line) for line in SAMPLE.read_text().splitlines()]
        change(next(record for record in records if record["record"] == kind))
        path = tmp_path / "changed.jsonl"
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
        return path

    return write


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_every_version_loads_forever(version):
    profile = load_profile(SAMPLES / f"profile_v{version}.jsonl")
    assert profile.header.version == version
    assert profile.header.space == "fashion_mnist"
    assert profile.header.config.threads == 1
    assert len(profile.networks) == 12
    assert profile.table.measurements
    assert profile.fit.networks == 12


def test_a_profile_with_a_probe_says_how_busy_the_core_was_and_seals_to_the_same_bytes(tmp_path):
    path = SAMPLES / "profile_v4.jsonl"
    profile = load_profile(path)
    assert "core     shared 71% of the time, x1.83, in spells of 3 ms; 1" in str(profile)
    never_clean = sum(not found.is_undisturbed for found in profile.table.measurements.values())
    assert f"{never_clean} of 154 layers were never seen undisturbed" in str(profile)
    seal(tmp_path / "again.jsonl", profile.header, records_of(path)[1:-1], fit_report(profile))
    again = [record.model_dump(exclude={"version"}) for record in read_records(tmp_path / "again.jsonl")]
    assert again == [record.model_dump(exclude={"version"}) for record in read_records(path)]


def test_a_refreshed_profile_is_rescaled_on_reading_and_seals_to_the_same_bytes(tmp_path):
    path = SAMPLES / "profile_v5.jsonl"
    profile, before = load_profile(path), load_profile(SAMPLE)
    assert {key: found.value_us for key, found in profile.table.measurements.items()} == pytest.approx(
        {key: 1.07 * found.value_us for key, found in before.table.measurements.items()}
    )
    assert [m.value_us for m in profile.network_measurements] == pytest.approx(
        [1.07 * m.value_us for m in before.network_measurements]
    )
    assert profile.networks == before.networks
    assert "refresh  rescaled by x1.070 (90 %: 1.061 to 1.079) from profile_v3 (sha256 " in str(profile)
    assert profile.drift_percent == pytest.approx(before.drift_percent)
    seal(tmp_path / "again.jsonl", profile.header, records_of(path)[1:-1], fit_report(profile))
    assert (tmp_path / "again.jsonl").read_bytes() == NEWEST.read_bytes()


def test_a_profile_with_checksums_is_read_as_one_without(tmp_path):
    profile = load_profile(NEWEST)
    assert profile.header.version == 6
    old = load_profile(SAMPLES / "profile_v5.jsonl")
    assert profile.table.measurements == old.table.measurements
    assert profile.networks == old.networks
    assert profile.latency.value_us([old.networks[0].indices]) == old.latency.value_us([old.networks[0].indices])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_byte_that_is_not_what_was_sealed_is_found(tmp_path, data):
    content = NEWEST.read_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    other = data.draw(st.sampled_from(b"0123456789").filter(lambda byte: byte != content[at]))
    (tmp_path / "p.jsonl").write_bytes(content[:at] + bytes([other]) + content[at + 1 :])
    with pytest.raises(ProfileDamaged):
        load_profile(tmp_path / "p.jsonl")


def test_a_line_that_lost_its_checksum_is_found_and_so_are_all(tmp_path):
    lines = NEWEST.read_text().splitlines(keepends=True)
    bare = [re.sub(r',"crc32":"[0-9a-f]{8}"}', "}", line) for line in lines]
    for number in (1, 7, len(lines)):
        (tmp_path / "p.jsonl").write_text("".join([*lines[: number - 1], bare[number - 1], *lines[number:]]))
        with pytest.raises(ProfileDamaged, match=f"line {2 if number == 1 else number}: |line 1: "):
            load_profile(tmp_path / "p.jsonl")
    (tmp_path / "p.jsonl").write_text("".join(bare))
    with pytest.raises(ProfileDamaged, match="line 1: it is not what was written, as its checksum says"):
        load_profile(tmp_path / "p.jsonl")


@pytest.mark.parametrize("factor", [0, -1.0, 1e9, "1", None])
def test_a_refresh_by_no_factor_is_refused(tmp_path, factor):
    records = [json.loads(line) for line in (SAMPLES / "profile_v5.jsonl").read_text().splitlines()]
    records[0]["refreshed"]["factor"] = factor
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    with pytest.raises(ProfileDamaged, match=r"line 1: header\.refreshed\.factor"):
        load_profile(tmp_path / "p.jsonl")


def test_a_probe_of_other_blocks_is_named(tmp_path):
    content = (SAMPLES / "profile_v4.jsonl").read_text()
    (tmp_path / "p.jsonl").write_text(content.replace('"probe_us":[[', '"probe_us":[[20.0,', 1))
    with pytest.raises(ProfileDamaged, match="line 2: the readings of the probe are not of these blocks"):
        load_profile(tmp_path / "p.jsonl")


@pytest.mark.parametrize("name", shipped_profiles())
def test_shipped_profiles_are_whole_and_their_fit_is_what_a_refit_says(name):
    profile = load_profile(name)
    report = profile.latency.report
    assert not profile.table.failures
    assert profile.fit.model == report.model
    assert profile.fit.mape_percent == pytest.approx(report.mape_percent, abs=1e-3)
    assert profile.fit.interval_ratio == pytest.approx(report.interval_ratio, abs=1e-3)
    assert name == f"{profile.header.space}/{profile.name}"


def fit_report(profile):
    return FitReport(**profile.fit.model_dump(exclude={"record"}))


def records_of(path):
    return [validated(path, n, json.loads(line)) for n, line in enumerate(path.read_text().splitlines(), 1)]


@given(rng=st.randoms(use_true_random=False))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sealing_what_was_read_gives_the_same_bytes_in_any_order(tmp_path, rng):
    profile, records = load_profile(NEWEST), read_records(NEWEST)[1:-1]
    rng.shuffle(records)
    seal(tmp_path / "again.jsonl", profile.header, records, fit_report(profile), force=True)
    assert (tmp_path / "again.jsonl").read_bytes() == NEWEST.read_bytes()


@given(
    visits=st.lists(
        st.lists(st.floats(1e-6, 1e12), min_size=1, max_size=4),
        min_size=1,
        max_size=4,
    ),
    loops=st.integers(1, 10**6),
    reason=st.text(max_size=30),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_sealed_number_and_word_reads_back_as_it_was(tmp_path, visits, loops, reason):
    profile, blocks = load_profile(SAMPLE), tuple(map(tuple, visits))
    header = profile.header.model_copy(update={"version": SCHEMA_VERSION})
    layer = LayerRecord(key="layer", loops=loops, block_us=blocks)
    failure = FailureRecord(key="other", reason=reason)
    seal(tmp_path / "p.jsonl", profile.header, [failure, layer], fit_report(profile), force=True)
    again = load_profile(tmp_path / "p.jsonl")
    assert again.table == LatencyTable({"layer": Measurement(blocks, loops)}, {"other": reason})
    assert (again.header, again.fit, again.networks) == (header, profile.fit, ())


def test_a_profile_cut_at_a_line_is_refused(tmp_path):
    lines = SAMPLE.read_bytes().splitlines(keepends=True)
    for count in range(len(lines)):
        (tmp_path / "cut.jsonl").write_bytes(b"".join(lines[:count]))
        with pytest.raises(ProfileDamaged):
            load_profile(tmp_path / "cut.jsonl")


def test_a_damaged_line_in_the_middle_is_named(tmp_path):
    lines = SAMPLE.read_bytes().splitlines(keepends=True)
    lines[6] = lines[6][: len(lines[6]) // 2] + b"\xff\n"
    (tmp_path / "damaged.jsonl").write_bytes(b"".join(lines))
    with pytest.raises(ProfileDamaged, match="line 7") as raised:
        load_profile(tmp_path / "damaged.jsonl")
    assert raised.value.line_number == 7


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_profile_cut_anywhere_is_refused(tmp_path, share):
    content = SAMPLE.read_bytes()
    path = tmp_path / "cut.jsonl"
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ProfileDamaged):
        load_profile(path)


@pytest.mark.parametrize(
    ("kind", "field", "value", "said"),
    [
        ("layer", "block_us", [[-1.0]], "line 2: layer.block_us"),
        ("layer", "block_us", [[0.0]], "line 2: layer.block_us"),
        ("layer", "block_us", [[]], "line 2: layer.block_us"),
        ("layer", "block_us", [], "line 2: layer.block_us"),
        ("layer", "loops", 0, "line 2: layer.loops"),
        ("layer", "latency", 3.0, "line 2: layer.latency"),
        ("header", "schema", "other.profile", "line 1: schema 'other.profile'"),
        ("header", "version", 99, "version 99"),
        ("header", "config", {"device": "cpu", "precision": "fp32", "threads": 0, "batch": 1}, "line 1"),
        ("header", "config", {"device": "cpu", "precision": "fp9", "threads": 1, "batch": 1}, "precision is 'fp9'"),
        ("header", "config", {"device": "", "precision": "fp32", "threads": 1, "batch": 1}, "device is ''"),
        ("network", "record", "netwrk", "line"),
    ],
)
def test_a_wrong_record_is_named_with_line_and_field(changed, kind, field, value, said):
    with pytest.raises(ProfileDamaged) as raised:
        load_profile(changed(kind, lambda record: record.update({field: value})))
    assert said in str(raised.value)
    assert raised.value.line_number > 0


def test_not_a_number_is_no_time(tmp_path):
    path = tmp_path / "nan.jsonl"
    path.write_text(SAMPLE.read_text().replace('"block_us":[[', '"block_us":[[NaN,', 1))
    with pytest.raises(ProfileDamaged, match="line 2"):
        load_profile(path)


def test_a_network_outside_the_space_is_refused(changed):
    outside = Architecture("fashion_mnist", (9,) * 26).id
    profile = load_profile(changed("network", lambda record: record.update(indices=[9] * 26, id=outside)))
    with pytest.raises(InvalidArchitecture, match="has index 9"):
        _ = profile.latency


@pytest.mark.parametrize("content", ["", "not json\n", '{"record":"layer"}\n', "[1,2]\n"])
def test_other_files_are_not_profiles(tmp_path, content):
    path = tmp_path / "other.jsonl"
    path.write_text(content)
    with pytest.raises(ProfileDamaged):
        parse(path)


def test_unknown_profile_suggests_the_nearest():
    name = shipped_profiles()[0]
    with pytest.raises(UnknownProfile, match=name):
        load_profile(name[:-2])
