import json
import tempfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.profilers import Journal, JournalDamaged, read_journal, write_atomically

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=6,
)
records = st.lists(st.dictionaries(st.text(), values, min_size=1, max_size=4), min_size=1, max_size=5)


@pytest.mark.slow
@settings(max_examples=50, deadline=None)  # every example waits for the disk
@given(records)
def test_records_come_back_as_they_were_written(written):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.jsonl"
        with Journal(path) as journal:
            for record in written:
                journal.append(record, sync=False)
        assert read_journal(path) == (written, ())


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(records, st.data())
def test_a_journal_cut_at_any_byte_yields_a_prefix_and_can_be_continued(written, data):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.jsonl"
        with Journal(path) as journal:
            for record in written:
                journal.append(record, sync=False)
        content = path.read_bytes()
        cut = data.draw(st.integers(0, len(content)))
        path.write_bytes(content[:cut])
        survived, warnings = read_journal(path)
        assert survived == written[: len(survived)]
        assert bool(warnings) == (cut > 0 and content[cut - 1 : cut] != b"\n")
        with Journal(path) as journal:
            assert journal.warnings == warnings
            journal.append({"after": "the crash"})
        assert read_journal(path) == ([*survived, {"after": "the crash"}], ())


def test_lines_are_compact_with_sorted_keys_and_a_checksum(tmp_path):
    with Journal(tmp_path / "j") as journal:
        journal.append({"b": 1, "a": [1, 2]})
    assert (tmp_path / "j").read_bytes() == b'{"a":[1,2],"b":1,"crc32":"%08x"}\n' % zlib.crc32(b'{"a":[1,2],"b":1')


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_none_are_refused_and_leave_nothing_behind(tmp_path, value):
    with Journal(tmp_path / "j") as journal, pytest.raises(ValueError, match="JSON compliant"):
        journal.append({"value_us": value})
    assert (tmp_path / "j").read_bytes() == b""


@pytest.mark.parametrize("damage", [b"{not json}", b"\xff\xfe", b"[1]", b"", b'{"a":NaN}'])
@pytest.mark.parametrize("after", [b'{"a":3}\n', b""])
def test_damage_of_a_whole_line_is_an_error_naming_the_line(tmp_path, damage, after):
    path = tmp_path / "j"
    path.write_bytes(b'{"a":1}\n' + damage + b"\n" + after)
    with pytest.raises(JournalDamaged, match="line 2") as caught:
        read_journal(path)
    assert (caught.value.path, caught.value.line_number) == (str(path), 2)


def test_a_writer_cuts_no_whole_line_off_however_damaged(tmp_path):
    (tmp_path / "j").write_bytes(b'{"a":1}\n{"a":!}\n')
    with Journal(tmp_path / "j") as journal:
        assert journal.warnings == ()
    assert (tmp_path / "j").read_bytes() == b'{"a":1}\n{"a":!}\n'


def test_a_journal_is_not_written_through_a_link(tmp_path):
    (tmp_path / "victim").write_text("my only copy\n")
    (tmp_path / "j").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError, match="a link"), Journal(tmp_path / "j"):
        raise AssertionError("it was opened")
    (tmp_path / "new").symlink_to(tmp_path / "made")
    with pytest.raises(OSError, match="a link"), Journal(tmp_path / "new"):
        raise AssertionError("it was opened")
    assert (tmp_path / "victim").read_text() == "my only copy\n"
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("tail", [b'{"a":', b"12", b"\xff", b"{]", b'{"a":2}'])
def test_a_torn_last_line_is_dropped_with_a_warning(tmp_path, tail):
    path = tmp_path / "j"
    path.write_bytes(b'{"a":1}\n' + tail)
    found, warnings = read_journal(path)
    assert found == [{"a": 1}]
    assert "line 2" in warnings[0]


def test_opening_an_existing_journal_keeps_its_records(tmp_path):
    for number in range(3):
        with Journal(tmp_path / "j") as journal:
            journal.append({"number": number})
    assert [record["number"] for record in read_journal(tmp_path / "j")[0]] == [0, 1, 2]


def test_a_journal_that_is_not_open_cannot_be_written(tmp_path):
    with pytest.raises(ValueError, match="not open"):
        Journal(tmp_path / "j").append({})


def test_a_file_written_atomically_is_replaced_whole(tmp_path):
    write_atomically(tmp_path / "f", "old")
    write_atomically(tmp_path / "f", b"new")
    assert (tmp_path / "f").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_a_failed_atomic_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    write_atomically(tmp_path / "f", json.dumps({"old": True}))

    def fail(self, target):
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(tmp_path / "f", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
    assert json.loads((tmp_path / "f").read_text()) == {"old": True}


@pytest.fixture
def three_lines(tmp_path):
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        for number in range(3):
            journal.append({"name": "näme", "number": 10 + number, "record": "visit"})
    return path


def test_an_edited_digit_is_named_by_its_line(three_lines):
    three_lines.write_bytes(three_lines.read_bytes().replace(b'"number":11', b'"number":17'))
    with pytest.raises(JournalDamaged, match="line 2: it is not what was written, as its checksum says"):
        read_journal(three_lines)


def test_no_flipped_bit_changes_what_is_read(three_lines):
    content, written = three_lines.read_bytes(), read_journal(three_lines)[0]
    for at in range(len(content)):
        for bit in range(8):
            three_lines.write_bytes(content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :])
            try:
                records, torn = read_journal(three_lines)
            except JournalDamaged:
                continue
            # The last newline may go, which makes a torn line; or the first line's word for its checksum.
            assert len(records) == 3 - len(torn)
            assert [{name: r[name] for name in written[0]} for r in records] == written[: len(records)]


def test_lines_of_before_checksums_are_read_and_may_be_continued(tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_text('{"number":1}\n')
    with Journal(path) as journal:
        journal.append({"number": 2})
    assert read_journal(path)[0] == [{"number": 1}, {"number": 2}]
    path.write_bytes(path.read_bytes() + b'{"number":3}\n')
    with pytest.raises(JournalDamaged, match="line 3"):
        read_journal(path)


@pytest.mark.parametrize("record", [{}, {"crc32": "00000000"}])
def test_a_record_that_no_checksum_fits_is_refused(tmp_path, record):
    with Journal(tmp_path / "journal.jsonl") as journal, pytest.raises(ValueError, match="needs fields"):
        journal.append(record)
