"""A kernel profile is believed only as it was written: whole, unaltered, and in agreement with itself."""

import json

import pytest

from gnomon.lut.errors import ProfileDamaged
from gnomon.lut.kernels.profile_file.profile import load_kernel_profile
from gnomon.profilers.journal import checked_line, value_from_json


@pytest.fixture
def path(tmp_path, graphs, scripted):
    names = sorted(graphs)[:4]
    scripted.write_profile(tmp_path / "k.jsonl", {name: graphs[name] for name in names})
    return tmp_path / "k.jsonl"


def records_of(path):
    records = [value_from_json(line) for line in path.read_bytes().splitlines()]
    return [{name: value for name, value in record.items() if name != "crc32"} for record in records]


def first(records, kind):
    return next(at for at, record in enumerate(records) if record["record"] == kind)


def write(path, records, *, version=2):
    records[0]["version"] = version
    lines = [checked_line(record) if version > 1 else json.dumps(record).encode() for record in records]
    path.write_bytes(b"\n".join(lines) + b"\n")


def test_a_cut_file_is_named(path):
    records = records_of(path)
    for cut in (records[:-1], [*records[:-3], records[-1]]):
        write(path, cut)
        with pytest.raises(ProfileDamaged, match="truncated"):
            load_kernel_profile(path)


def test_a_flipped_bit_is_named_by_its_line(path):
    lines = path.read_bytes().splitlines(keepends=True)
    for at, line in enumerate(lines, 1):
        half = len(line) // 2
        altered = line[:half] + bytes([line[half] ^ 1]) + line[half + 1 :]
        path.write_bytes(b"".join([*lines[: at - 1], altered, *lines[at:]]))
        with pytest.raises(ProfileDamaged, match=rf"k\.jsonl, line {at}: "):
            load_kernel_profile(path)


def test_a_file_without_checksums_is_read_where_its_version_had_none(path):
    known, records = load_kernel_profile(path), records_of(path)
    write(path, records, version=1)
    old = load_kernel_profile(path)
    assert old.kernels == known.kernels
    assert old.models == known.models
    write(path, records, version=1)
    path.write_bytes(path.read_bytes().replace(b'"version": 1', b'"version": 2', 1))
    with pytest.raises(ProfileDamaged, match=r"line 1: .*checksum"):
        load_kernel_profile(path)
    write(path, records, version=3)
    with pytest.raises(ProfileDamaged, match=r"version 3; this Gnomon reads 1, 2"):
        load_kernel_profile(path)


@pytest.mark.parametrize("kind", ["call", "kernel", "model"])
def test_times_of_something_else_are_refused(path, kind):
    records = records_of(path)
    at = first(records, kind)
    records[at]["timed"]["key"] = "0" * 24
    write(path, records)
    with pytest.raises(ProfileDamaged, match=rf"line {at + 1}: the times are those of '0{{24}}'"):
        load_kernel_profile(path)


@pytest.mark.parametrize("kind", ["kernel", "model", "call"])
def test_a_second_record_of_one_thing_is_refused(path, kind):
    records = records_of(path)
    at = first(records, kind)
    records.insert(at + 1, records[at])
    records[-1][f"{kind}s"] = records[-1].get(f"{kind}s", 0) + 1
    records[-1].pop("calls", None)
    write(path, records)
    with pytest.raises(ProfileDamaged, match=rf"line {at + 2}: the {kind}.*on line {at + 1} already"):
        load_kernel_profile(path)


def test_a_model_of_kernels_without_times_is_refused(path):
    records = records_of(path)
    at = first(records, "model")
    records[at]["calls"]["0" * 24] = 1
    write(path, records)
    with pytest.raises(ProfileDamaged, match=rf"line {at + 1}: the model .* runs the kernel 0{{24}}"):
        load_kernel_profile(path)


def test_a_field_that_is_not_known_is_named(path):
    records = records_of(path)
    at = first(records, "kernel")
    records[at]["copied"] = records[at].pop("copies")
    write(path, records)
    with pytest.raises(ProfileDamaged, match=rf"line {at + 1}: kernel.copies"):
        load_kernel_profile(path)
