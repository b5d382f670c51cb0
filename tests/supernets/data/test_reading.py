import gzip
import os

import pytest

from gnomon.supernets.data.reading import read_content
from gnomon.supernets.data.text_files import read_rows
from gnomon.supernets.data.vocabulary import Vocabulary
from gnomon.supernets.errors import DataUnavailable


@pytest.mark.parametrize("noun", ["a folder", "a named pipe"])
def test_what_is_no_file_is_said_and_not_waited_for(tmp_path, noun):
    path = tmp_path / "train.csv"
    {"a folder": os.mkdir, "a named pipe": os.mkfifo}[noun](path)
    for read, error in ((read_content, OSError), (read_rows, DataUnavailable), (Vocabulary.from_file, DataUnavailable)):
        with pytest.raises(error, match=f"is {noun}, and a regular file was expected"):
            read(path)


def test_an_archive_damaged_at_any_byte_is_an_os_error_or_what_was_packed(tmp_path):
    path, content = tmp_path / "x.gz", gzip.compress(b"some content " * 9)
    for at in range(len(content)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 0x41]) + content[at + 1 :])
        try:
            assert read_content(path) == b"some content " * 9
        except OSError:
            continue


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("gnomon.supernets.data.reading.LARGEST_BYTES", 100)
    (tmp_path / "x.gz").write_bytes(gzip.compress(b"0" * 1000))
    with pytest.raises(OSError, match="unpacks to more than 100 bytes"):
        read_content(tmp_path / "x.gz")
