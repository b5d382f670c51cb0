"""Hostile bundles made of a whole one: their manifests changed, with digests that agree and that do not; names, kinds
and sizes that no bundle has; bytes altered. So what lies behind each check is reached too.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import stat
import struct
import warnings
import zipfile
from pathlib import Path

import numpy as np

from gnomon.profilers import PlannedModel, RunConfig, TimingPolicy, write_plan
from gnomon.profilers.transports.bundle import read_bundle, unpack_bundle, write_bundle

from .inputs import altered, changed

NAMES = (
    *("../escaped", "/etc/escaped", "b/../../escaped", "b\\escaped", "C:/escaped"),
    *("b/models/x.onnx", "b/", "b/bundle.json"),
)
DIRECTORY_ENTRY, SIZE_AT = b"PK\x01\x02", 24  # of zip files: where the size is, in an entry of the list
LONG_AGO = (2000, 1, 1, 0, 0, 0)


def whole_bundle(folder: Path) -> bytes:
    """Return a bundle of three models of a few bytes, as `gnomon bundle create` writes one."""
    models = [PlannedModel(f"layer{number}", "layer", b"model %d" % number) for number in range(2)]
    models.append(PlannedModel("anchor", "anchor", b"the anchor"))
    plan = write_plan(folder / "plan", backend="onnxruntime", config=RunConfig(), policy=TimingPolicy(), models=models)
    out = folder / "whole.zip"
    write_bundle(out, folder / "plan", plan=plan, origin={"space": "fashion_mnist", "seed": 0}, title="for a trial")
    return out.read_bytes()


def hostile_bundle(content: bytes, rng: np.random.Generator) -> bytes:
    """Return a bundle with something wrong, or something else that is right."""
    how = int(rng.integers(0, 7))
    if how == 0:
        return altered(content, rng) if rng.random() < 0.5 else content[: int(rng.integers(0, len(content)))]
    entries = entries_of(content)
    manifest = next(name for name, _, _ in entries if name.endswith("bundle.json"))
    at = int(rng.integers(0, len(entries)))
    name, data, mode = entries[at]
    if how == 1:  # one more, or one fewer
        unlisted = f"{name.partition('/')[0]}/models/{rng.bytes(32).hex()}.onnx"
        entries[at : at + 1] = [] if rng.random() < 0.5 else [entries[at], (unlisted, data, mode)]
    elif how == 2:  # another size than it declares
        return declaring(zipped(entries), at, int(rng.choice([0, 1, 2**31, 2**32 - 2])))
    elif how == 3:  # another name, kind or number
        other = NAMES[int(rng.integers(0, len(NAMES)))]
        kind = int(rng.choice([stat.S_IFREG, stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO, 0]))
        entries.insert(at, (other if rng.random() < 0.7 else name, data, kind | 0o777))
        if rng.random() < 0.5:
            del entries[int(rng.integers(0, len(entries)))]
    elif how == 4:  # another content, of any size, of which the manifest knows or not
        data = altered(data, rng) if rng.random() < 0.7 else bytes(int(rng.choice([0, 1, 100_000])))
        entries[at] = name, data, mode
        if name != manifest and rng.random() < 0.7:
            entries = [(one, redigested(text, name, data) if one == manifest else text, m) for one, text, m in entries]
    else:
        position = next(n for n, (one, _, _) in enumerate(entries) if one == manifest)
        text = json.dumps(changed(json.loads(entries[position][1]), rng)).encode(errors="surrogatepass")
        entries[position] = manifest, text, stat.S_IFREG | 0o644
    return zipped(entries)


def entries_of(content: bytes) -> list[tuple[str, bytes, int]]:
    """Return the names, contents and modes of what a zip file holds."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [(info.filename, archive.read(info), info.external_attr >> 16) for info in archive.infolist()]


def redigested(manifest: bytes, name: str, data: bytes) -> bytes:
    """Return a manifest that gives a file the digest of its new content."""
    content, inside = json.loads(manifest), name.partition("/")[2]
    if inside in content.get("files", {}):
        content["files"][inside] = hashlib.sha256(data).hexdigest()
    return json.dumps(content).encode()


def declaring(content: bytes, entry: int, size_bytes: int) -> bytes:
    """Return a zip file whose list of content gives an entry another size than it has."""
    (at,) = struct.unpack("<L", content[-6:-2])  # where the list begins, by the end of the file
    for _ in range(entry):
        at = content.index(DIRECTORY_ENTRY, at + 1)
    return content[: at + SIZE_AT] + struct.pack("<L", size_bytes) + content[at + SIZE_AT + 4 :]


def zipped(entries: list[tuple[str, bytes, int]]) -> bytes:
    """Return a zip file of entries, whatever they are."""
    held = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(held, "w") as archive:
        warnings.simplefilter("ignore")  # of names that are there twice
        for name, data, mode in entries:
            info = zipfile.ZipInfo(name, LONG_AGO)
            info.external_attr = mode << 16
            archive.writestr(info, data, zipfile.ZIP_STORED)
    return held.getvalue()


def unpacked(path: Path) -> object:
    """Read a bundle, unpack it and make a plan of it; raises AssertionError for a file outside its folder."""
    folder = path.with_suffix("")
    before = sorted(one.name for one in path.parent.iterdir())
    read = read_bundle(path)
    try:
        unpack_bundle(path, folder)
        inside = {one.relative_to(folder).as_posix() for one in folder.rglob("*") if not one.is_dir()}
        assert inside == {*read.files, "bundle.json"}, f"it holds {inside}"
        assert not any(one.is_symlink() for one in folder.rglob("*")), "it holds a link"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        after = sorted(one.name for one in path.parent.iterdir())
        assert after == before, f"{set(after) ^ set(before)} lie beside it"
    return read.plan("onnxruntime", device="cpu", threads=1)
