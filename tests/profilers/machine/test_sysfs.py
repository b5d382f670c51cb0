from hypothesis import given
from hypothesis import strategies as st

from gnomon.profilers.machine.sysfs import (
    MAX_BYTES,
    kib_from_size,
    list_from_numbers,
    number_from,
    numbers_from_list,
    read_int,
    read_text,
)


@given(st.sets(st.integers(0, 9_999), max_size=30).map(sorted))
def test_a_list_of_cpus_comes_back_as_it_was_written(numbers):
    assert numbers_from_list(list_from_numbers(numbers)) == numbers


def test_a_list_is_written_as_the_kernel_writes_it():
    assert list_from_numbers([0, 1, 2, 5, 7, 8]) == "0-2,5,7-8"


@given(st.text() | st.text("0123456789-,.KM²٣"))
def test_no_text_is_too_strange(text):
    assert all(number >= 0 for number in numbers_from_list(text))
    assert (number_from(text) or 0.0) >= 0
    assert (kib_from_size(text) or 0) >= 0


def test_a_list_that_would_fill_the_memory_is_cut():
    assert len(numbers_from_list("0-999999,0-999999,0-999999")) < 10**6


def test_a_huge_file_is_not_read_whole(tmp_path):
    (tmp_path / "huge").write_bytes(b"7" * (MAX_BYTES + 5))
    assert len(read_text(tmp_path, "huge")) == MAX_BYTES
    assert read_int(tmp_path, "huge") is None


def test_a_name_no_file_can_have_says_nothing(tmp_path):
    assert read_text(tmp_path, "a\0b") is None
