"""What may lie in a file's place and is none is refused at once, whoever reads or writes it."""

import os

import pytest

from gnomon.profilers.files import has_schema, open_to_write, read_file
from gnomon.profilers.journal import Journal, read_journal


def make_pipe(path):
    os.mkfifo(path)


def make_link_to_a_device(path):
    path.symlink_to("/dev/zero")


SPECIAL = {"a folder": os.mkdir, "a named pipe": make_pipe, "a device": make_link_to_a_device}


@pytest.mark.parametrize("noun", SPECIAL)
def test_reading_refuses_what_is_no_regular_file_and_never_waits(tmp_path, noun):
    SPECIAL[noun](tmp_path / "x")
    for read in (read_file, read_journal):
        with pytest.raises(OSError, match=f"is {noun}, and a regular file was expected") as caught:
            read(tmp_path / "x")
        assert caught.value.filename == str(tmp_path / "x")
    assert not has_schema(tmp_path / "x", "gnomon.run")


@pytest.mark.parametrize("noun", ["a folder", "a named pipe"])
def test_writing_refuses_what_is_no_regular_file_and_never_waits(tmp_path, noun):
    SPECIAL[noun](tmp_path / "x")
    with pytest.raises(OSError, match=f"is {noun}"):
        open_to_write(tmp_path / "x")
    with pytest.raises(OSError, match=f"is {noun}"), Journal(tmp_path / "x"):
        raise AssertionError("it was opened")


def test_reading_follows_a_link_to_a_file_and_writing_does_not(tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    assert read_file(tmp_path / "link") == b"content"
    with pytest.raises(OSError, match="is a link"):
        open_to_write(tmp_path / "link")


def test_a_file_beyond_its_bound_is_refused_without_reading_on(tmp_path):
    (tmp_path / "x").write_bytes(b"12345")
    assert read_file(tmp_path / "x", largest_bytes=5) == b"12345"
    with pytest.raises(OSError, match="larger than the 4 bytes"):
        read_file(tmp_path / "x", largest_bytes=4)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"schema":"gnomon.run"}', True),
        ('\n{\n "schema": "gnomon.run", "damaged', True),
        ('{"schema":"gnomon.running"}', False),
        ('notes on "schema":"gnomon.run"', False),
        ("", False),
    ],
)
def test_a_schema_is_read_from_how_a_file_begins(tmp_path, content, expected):
    (tmp_path / "x").write_text(content)
    assert has_schema(tmp_path / "x", "gnomon.run") is expected
    (tmp_path / "link").symlink_to("x")
    assert not has_schema(tmp_path / "link", "gnomon.run")


def test_a_journal_of_two_names_is_continued_under_one_and_the_other_keeps_what_it_has(tmp_path):
    with Journal(tmp_path / "j") as journal:
        journal.append({"n": 1})
    os.link(tmp_path / "j", tmp_path / "backup")
    before = (tmp_path / "backup").read_bytes()
    with Journal(tmp_path / "j") as journal:
        journal.append({"n": 2})
    assert [record["n"] for record in read_journal(tmp_path / "j")[0]] == [1, 2]
    assert (tmp_path / "backup").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup", "j"]
