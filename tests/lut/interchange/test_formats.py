import dataclasses
import json
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gnomon.lut import LatencyTable, load_profile, shipped_profiles
from gnomon.lut.errors import LutError, TableUnreadable
from gnomon.lut.interchange import Row, facts_of, format_names, format_of, read_table, rows_of, write_table
from gnomon.lut.interchange.registry import FORMATS
from gnomon.outputs import OutputUnusable
from gnomon.profilers.timing.measurement import Measurement

OFA = next(name for name in shipped_profiles() if name.startswith("ofa_mobilenetv3/") and ".onnxruntime." in name)
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SUFFIX = {"csv": ".csv", "parquet": ".parquet", "ofa_yaml": ".yaml"}


PROFILE = load_profile(OFA)


@pytest.fixture
def profile():
    return PROFILE


def test_the_folder_is_the_registry():
    assert format_names() == ("csv", "ofa_yaml", "parquet")
    assert {name: format_of(Path(f"folder/t{suffix}")) for name, suffix in SUFFIX.items()} == {n: n for n in SUFFIX}


@pytest.mark.parametrize("name", ["csv", "parquet"])
@pytest.mark.parametrize("shipped", shipped_profiles())
def test_an_export_reads_back_as_the_same_table_with_its_facts(tmp_path, name, shipped):
    profile = load_profile(shipped)
    path = tmp_path / f"t{SUFFIX[name]}"
    assert write_table(profile, path) == ()
    again = read_table(path)
    assert again.rows == rows_of(profile)
    assert again.facts == facts_of(profile)
    assert again.facts["runtime_version"] == profile.header.versions[profile.header.backend]
    assert again.unmapped == ()


TIMES = st.floats(1e-6, 1e12, allow_subnormal=False)
VISITS = st.lists(st.lists(TIMES, min_size=1, max_size=3), min_size=1, max_size=4)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@pytest.mark.parametrize("name", ["csv", "parquet"])
@given(visits=st.dictionaries(TEXT, VISITS, min_size=1, max_size=5), device=TEXT)
@QUICK
def test_any_keys_numbers_and_facts_survive(tmp_path, name, visits, device):
    table = LatencyTable({key: Measurement(tuple(map(tuple, v)), 1) for key, v in visits.items()}, {})
    odd = dataclasses.replace(PROFILE, table=table, header=PROFILE.header.model_copy(update={"device": device}))
    path = tmp_path / "t"
    write_table(odd, path, name=name, force=True)
    again = read_table(path, name=name)
    assert again.rows == rows_of(odd)
    assert again.facts == facts_of(odd)


def read_or_refused(path, name):
    """Read a file, or be told which one is wrong; any other error ends the test."""
    try:
        return read_table(path, name=name) is not None
    except TableUnreadable as error:
        return str(path) in str(error)


@pytest.mark.parametrize("name", format_names())
@given(content=st.one_of(st.binary(max_size=300), TEXT.map(str.encode)))
@QUICK
def test_any_file_is_read_or_refused_with_our_error(tmp_path, name, content):
    path = tmp_path / "t"
    path.write_bytes(content)
    assert read_or_refused(path, name)


@pytest.mark.parametrize("name", format_names())
@given(share=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255))
@QUICK
def test_a_damaged_export_is_read_or_refused_with_our_error(tmp_path, name, share, byte):
    path = tmp_path / "t"
    if not path.exists():
        write_table(PROFILE, path, name=name)
    content = bytearray(path.read_bytes())
    content[int(share * len(content))] = byte
    damaged = tmp_path / "damaged"
    damaged.write_bytes(content)
    assert read_or_refused(damaged, name)


@pytest.mark.parametrize("name", format_names())
def test_files_that_cannot_be_opened_are_refused(tmp_path, name):
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(TableUnreadable, match="cannot read"):
            read_table(path, name=name)


def test_outputs_are_kept_unless_forced(tmp_path, profile):
    path = tmp_path / "t.csv"
    path.write_text("precious")
    for force in (False, True):
        with pytest.raises(OutputUnusable, match="is not an exported table that Gnomon wrote"):
            write_table(profile, path, force=force)
    assert path.read_text() == "precious"
    path.unlink()
    (tmp_path / "file").touch()
    with pytest.raises(OutputUnusable):
        write_table(profile, tmp_path / "file" / "below.csv")


@pytest.mark.parametrize("name", format_names())
def test_a_table_is_replaced_by_force_and_no_other_file_of_its_kind(tmp_path, profile, name):
    path = tmp_path / f"t{FORMATS.load(name).SUFFIXES[0]}"
    write_table(profile, path)
    written = path.read_bytes()
    with pytest.raises(OutputUnusable, match="force=True"):
        write_table(profile, path)
    write_table(profile, path, force=True)
    assert path.read_bytes() == written
    foreign = {"csv": b"layer,latency_us\nx,1\n", "parquet": b"PAR1 PAR1", "ofa_yaml": b"x:\n  mean: 1\n"}[name]
    path.write_bytes(foreign)
    with pytest.raises(OutputUnusable, match="not an exported table that Gnomon wrote, so it is not replaced"):
        write_table(profile, path, force=True)
    assert path.read_bytes() == foreign


@pytest.mark.parametrize(
    ("name", "said"), [("cvs", "did you mean 'csv'?"), ("registry", "known: csv"), ("../csv", "known")]
)
def test_unknown_formats_are_refused(tmp_path, profile, name, said):
    with pytest.raises(TableUnreadable, match=said.replace("?", r"\?")):
        write_table(profile, tmp_path / "t", name=name)
    with pytest.raises(TableUnreadable, match="`name=csv"):
        format_of(tmp_path / "table.xlsx")


def csv(tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_text(text, newline="")
    return read_table(path)


@pytest.mark.parametrize(
    ("column", "factor"), [("latency_ns", 1e-3), ("latency_us", 1), ("latency_ms", 1e3), ("latency_s", 1e6)]
)
def test_the_unit_is_read_from_the_column(tmp_path, column, factor):
    assert csv(tmp_path, f"layer,{column}\nx,2.5\n").rows == (Row("x", 2.5 * factor),)


def test_the_times_of_others_are_read_as_they_are_for_the_lint_to_judge(tmp_path):
    text = "# from: somewhere\n# anything\nlayer,note,latency_ms\r\na,,-1\r\nb,,0\r\nc,,nan\r\n"
    values = csv(tmp_path, text).value_us
    assert (values["a"], values["b"]) == (-1000.0, 0.0)
    assert values["c"] != values["c"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: found the columns none"),
        ("layer,latency\nx,1\n", "the unit must be in the name"),
        ("layer,latency_us,latency_ms\nx,1,1\n", "expected layer and one of"),
        ("layer,layer,latency_us\nx,x,1\n", "expected layer and one of"),
        ('# backend: "b"\nlayer,latency_us\nx,quick\n', "line 3: latency_us is 'quick'"),
        ("layer,latency_us\nx,1\ny,2\nx,3\n", "line 4: x was at"),
        ("layer,latency_us\nx\n", "line 2: expected 2 cells"),
        ("layer,latency_us\nx,1,2\n", "line 2: expected 2 cells"),
        ('layer,latency_us\n"x,1\n', "unexpected end of data"),
        ("layer,latency_us,visits\nx,1,-3\n", "visits is -3"),
        ("# threads: 4\nlayer,latency_us\nx,1\n", "'threads' is 4; expected text"),
    ],
)
def test_a_wrong_csv_is_refused_with_its_line(tmp_path, text, said):
    with pytest.raises(TableUnreadable) as raised:
        csv(tmp_path, text)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("columns", "metadata", "said"),
    [
        ({"layer": ["x", "x"], "latency_us": [1.0, 2.0]}, {}, "row 2: x was at"),
        ({"layer": [1], "latency_us": [1.0]}, {}, "row 1: layer is 1"),
        ({"layer": ["x"], "latency_us": ["1"]}, {}, "row 1: latency_us is '1'"),
        ({"layer": ["x"], "latency_us": [None]}, {}, "row 1: latency_us is None"),
        ({"layer": ["x"], "latency_us": [1.0], "visits": [1.5]}, {}, "visits 1.5"),
        ({"layer": ["x"], "latency": [1.0]}, {}, "the unit must be in the name"),
        ({"layer": ["x"], "latency_us": [1.0]}, {b"gnomon.table": b"{"}, "expected a JSON object"),
        ({"layer": ["x"], "latency_us": [1.0]}, {b"gnomon.table": b"[]"}, "expected a JSON object"),
        ({"layer": ["x"], "latency_us": [1.0]}, {b"gnomon.table": b'{"tool":"y"}'}, "one of space, "),
    ],
)
def test_a_wrong_parquet_is_refused(tmp_path, columns, metadata, said):
    import pyarrow
    import pyarrow.parquet

    path = tmp_path / "t.parquet"
    pyarrow.parquet.write_table(pyarrow.table(columns).replace_schema_metadata(metadata), path)
    with pytest.raises(TableUnreadable) as raised:
        read_table(path)
    assert said in str(raised.value)


def test_another_tools_parquet_needs_only_two_columns(tmp_path):
    import pyarrow
    import pyarrow.parquet

    path = tmp_path / "t.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"latency_ms": [2], "layer": ["x"], "kernel": ["conv"]}), path)
    assert read_table(path).rows == (Row("x", 2000.0),)


def test_parquet_metadata_names_the_facts_as_json(tmp_path, profile):
    import pyarrow.parquet

    write_table(profile, tmp_path / "t.parquet")
    metadata = pyarrow.parquet.read_schema(tmp_path / "t.parquet").metadata
    assert json.loads(metadata[b"gnomon.table"]) == facts_of(profile)


@pytest.mark.parametrize(("module", "name"), [("pyarrow", "parquet"), ("yaml", "ofa_yaml")])
def test_a_missing_package_is_named(tmp_path, profile, monkeypatch, module, name):
    (tmp_path / "t").write_text("a: {mean: 1}\n")
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ModuleNotFoundError) as raised:
        read_table(tmp_path / "t", name=name)
    assert raised.value.name == module


def test_all_errors_are_lut_errors():
    assert issubclass(TableUnreadable, LutError)
