"""Bundles as files: what is written reads back, and what anybody else may have made is refused without a trace."""

import contextlib
import json
import random
import stat
import struct
import subprocess
import sys
import zipfile

import pytest

from gnomon.profilers import BundleDamaged, PlanMismatch, PlannedModel, RunConfig, TimingPolicy, write_plan
from gnomon.profilers.transports import untrusted_zip
from gnomon.profilers.transports.bundle import read_bundle, unpack_beside, unpack_bundle, write_bundle
from gnomon.profilers.transports.manifest import MANIFEST, README, WORKER, Bundle, read_bundle_folder
from gnomon.temporary import is_temporary


@pytest.fixture
def plan(tmp_path):
    models = [
        PlannedModel("a", "layer", b"one"),
        PlannedModel("b", "network", b"two"),
        PlannedModel("c", "anchor", b"one"),
    ]
    return write_plan(tmp_path / "p" / "plan", backend="", config=RunConfig(), policy=TimingPolicy(), models=models)


@pytest.fixture
def make(tmp_path, plan):
    """Return a function that writes the bundle, under a name."""

    def write(name="x.zip"):
        (tmp_path / "b").mkdir(exist_ok=True)
        write_bundle(tmp_path / "b" / name, tmp_path / "p" / "plan", plan=plan, origin={"space": "s"}, title="A test")
        return tmp_path / "b" / name

    return write


@pytest.fixture
def forge(make):
    """Return a function that writes the bundle's files anew, changed by a function of {name: (ZipInfo, content)}."""

    def write(change):
        path = make()
        with zipfile.ZipFile(path) as archive:
            entries = {info.filename: (info, archive.read(info)) for info in archive.infolist()}
        entries = change(entries) or entries
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for info, content in entries.values():
                archive.writestr(info, content, info.compress_type)
        return path

    return write


def entry(name, mode=stat.S_IFREG | 0o644):
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def refuse(path, reason):
    """Hold that the file is refused by both readers, for that reason, and that nothing is left behind."""
    before = sorted(path.parent.parent.rglob("*"))
    with pytest.raises(BundleDamaged, match=reason):
        read_bundle(path)
    with pytest.raises(BundleDamaged, match=reason):
        unpack_bundle(path, path.parent / "x")
    assert sorted(path.parent.parent.rglob("*")) == before


def test_what_is_written_reads_back_and_unpacks(make, plan, tmp_path):
    path = make()
    bundle = read_bundle(path)
    assert unpack_bundle(path, tmp_path / "there") == bundle == read_bundle_folder(tmp_path / "there")
    assert bundle.items == plan.items
    assert bundle.origin == {"space": "s"}
    assert {file.relative_to(tmp_path / "there").as_posix() for file in (tmp_path / "there").rglob("*.*")} == {
        MANIFEST,
        *bundle.files,
    }
    assert len(bundle.files) == 2 + len({WORKER, README})  # equal models are stored once
    assert len((tmp_path / "there" / README).read_text().splitlines()) == 3


def test_equal_plans_give_equal_bytes_and_leave_no_other_file(make):
    assert make().read_bytes() == make().read_bytes()
    assert [path.name for path in make().parent.iterdir()] == ["x.zip"]


def test_a_bundle_becomes_the_plan_of_a_backend_with_so_many_threads(make, plan):
    made = read_bundle(make()).plan("onnxruntime:cuda", device="gpu", threads=3)
    assert (made.backend, made.config.device, made.config.threads, made.items) == (
        *("onnxruntime:cuda", "gpu", 3),
        plan.items,
    )


@pytest.mark.parametrize(
    "name",
    ["../../evil", "/etc/evil", "x/../evil", "x\\..\\evil", "C:/evil", "x/models/../../evil", "x/evil.py", "evil"],
)
def test_a_name_that_no_bundle_has_is_refused(forge, name):
    refuse(forge(lambda entries: entries.update({name: (entry(name), b"evil")})), "no plain file of a bundle")


def test_a_name_that_hides_behind_a_null_byte_is_refused(forge):
    path = forge(lambda entries: entries.update({"evil": (entry(f"x/{MANIFEST}~evil"), b"evil")}))
    path.write_bytes(path.read_bytes().replace(f"{MANIFEST}~evil".encode(), f"{MANIFEST}\0evil".encode()))
    refuse(path, "no plain file of a bundle")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR])
def test_what_is_no_plain_file_is_refused(forge, kind):
    path = forge(lambda entries: entries.update({f"x/{README}": (entry(f"x/{README}", kind | 0o777), b"/etc")}))
    refuse(path, "no plain file of a bundle")


def test_two_folders_are_refused(forge):
    refuse(forge(lambda entries: entries.update({"y": (entry(f"y/{README}"), b"")})), "README.txt twice")
    refuse(forge(lambda entries: entries.update({"y": (entry("y/", stat.S_IFDIR), b"")})), "expected one folder")


def test_a_name_that_occurs_twice_is_refused(make):
    path = make()
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr(entry(f"x/{README}"), b"another")
    refuse(path, "README.txt twice")


def test_altered_content_is_refused_with_both_digests(forge):
    def alter(entries):
        info, content = entries[f"x/{WORKER}"]
        entries[f"x/{WORKER}"] = (info, content + b"evil")

    refuse(forge(alter), f"{WORKER} has the SHA-256 [0-9a-f]+, and its manifest says [0-9a-f]+")


def test_a_missing_file_and_one_too_many_are_named(forge):
    beyond = f"models/{'0' * 64}.onnx"
    refuse(forge(lambda entries: {name: e for name, e in entries.items() if README not in name}), "lacks README.txt")
    refuse(forge(lambda entries: entries.update({"0": (entry(f"x/{beyond}"), b"")})), f"{beyond}, which its manifest")
    refuse(forge(lambda entries: {name: e for name, e in entries.items() if MANIFEST not in name}), "no usable bundle")


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("version", 99, "expected gnomon.bundle version 3"),
        ("asks", "money", "asks for 'money'"),
        ("only", ["no such/name", 1], "backend is"),
        ("items", [], "at least one layer"),
        ("batch", 0, "batch is 0"),
        ("precision", "fp8", "precision is 'fp8'"),
        ("policy", {}, "a timing policy has the fields"),
        ("files", {"../evil": "0" * 64}, "has no place in a bundle"),
        ("origin", 7, "TypeError"),
    ],
)
def test_a_manifest_that_makes_no_plan_is_refused(forge, field, value, reason):
    def alter(entries):
        info, content = entries[f"x/{MANIFEST}"]
        entries[f"x/{MANIFEST}"] = (info, json.dumps({**json.loads(content), field: value}).encode())

    refuse(forge(alter), reason)


@pytest.mark.parametrize("text", [b"", b"[]", b"\xff", b'{"schema": ' + b"[" * 100_000])
def test_a_manifest_that_is_none_is_refused(forge, text):
    refuse(forge(lambda entries: entries.update({f"x/{MANIFEST}": (entry(f"x/{MANIFEST}"), text)})), "not a usable")


def test_a_bomb_is_refused_before_it_is_inflated(forge):
    def alter(entries):
        info, content = entries[f"x/{README}"]
        info.compress_type = zipfile.ZIP_DEFLATED
        entries[f"x/{README}"] = (info, content + bytes(64 << 20))

    refuse(forge(alter), "would unpack to")


def test_a_file_that_inflates_to_more_than_it_declares_is_refused(forge):
    path = forge(lambda entries: None)
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo(f"x/{README}").file_size
    at = data.rfind(f"x/{README}".encode()) - 46  # its record in the central directory
    assert struct.unpack_from("<I", data, at + 24) == (size,)
    struct.pack_into("<I", data, at + 24, size - 9)
    path.write_bytes(data)
    refuse(path, "README.txt cannot be unpacked|README.txt does not have")


@pytest.mark.parametrize("limit", ["MAX_FILES", "MAX_FILE_BYTES", "MAX_BYTES"])
def test_number_and_sizes_are_limited(make, monkeypatch, limit):
    monkeypatch.setattr(untrusted_zip, limit, 3)
    refuse(make(), "at most")


def test_an_encrypted_file_is_refused(make):
    path = make()
    data = bytearray(path.read_bytes())
    at = data.rfind(f"x/{README}".encode()) - 46
    data[at + 8] |= 1
    path.write_bytes(data)
    refuse(path, "no plain file of a bundle")


def test_what_is_no_zip_file_or_a_part_of_one_is_refused(make, tmp_path):
    path = make()
    path.write_bytes(path.read_bytes()[:-100])
    refuse(path, "not a whole zip file")
    path.write_text("precious")
    refuse(path, "not a whole zip file")
    path.unlink()
    refuse(path, "not a whole zip file")


def test_damage_anywhere_is_noticed_or_does_no_harm(make):
    path, rng = make(), random.Random(0)
    whole, bundle = path.read_bytes(), read_bundle(path)
    for _ in range(300):
        data = bytearray(whole)
        data[rng.randrange(whole.find(b"PK\x01\x02"), len(data))] = rng.randrange(256)
        data[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(data)
        with contextlib.suppress(BundleDamaged):
            assert read_bundle(path) == bundle


def test_a_folder_unpacked_before_is_used_again_unless_it_is_of_another_bundle(make, plan, tmp_path):
    path = make()
    folder = unpack_beside(path)
    (folder / "results-onnxruntime-t1.jsonl").write_text("kept")
    assert unpack_beside(path) == folder
    assert (folder / "results-onnxruntime-t1.jsonl").read_text() == "kept"
    write_bundle(path, tmp_path / "p" / "plan", plan=plan, origin={"space": "another"}, title="A test")
    with pytest.raises(PlanMismatch, match="another bundle"):
        unpack_beside(path)


@pytest.mark.parametrize("version", [1, 2])
def test_a_bundle_of_an_older_version_says_who_can_read_it(make, version):
    with pytest.raises(ValueError, match=f"found 'gnomon.bundle' version {version}; use the Gnomon that wrote it"):
        Bundle.from_json({**read_bundle(make()).to_json(), "version": version})


KILLED_UNPACKING = """
import os, sys
from pathlib import Path
from gnomon.profilers.transports.bundle import unpack_beside
rename = Path.rename

def killed(self, target):
    if sys.argv[2] == "after":
        rename(self, target)
    os.kill(os.getpid(), 9)

Path.rename = killed
unpack_beside(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_a_killed_run_of_a_bundle_left_is_removed_by_the_next(make, when):
    path = make()
    subprocess.run([sys.executable, "-c", KILLED_UNPACKING, str(path), when], check=False)
    assert [one for one in path.parent.iterdir() if is_temporary(one.name)]
    folder = unpack_beside(path)
    assert (folder / "bundle.json").is_file()
    assert not [one for one in path.parent.iterdir() if is_temporary(one.name)]
