"""Reads zip files that anybody may have made: names, kinds, sizes and digests are checked before any is believed.

Such a file may name places outside its folder, hold links, hold a name twice, or unpack to a hundred times what it
should. So whoever reads one says which names it may have; sizes are limited as declared and again while inflating, and
each file must have the digest that is expected of it.
"""

from __future__ import annotations

import contextlib
import hashlib
import stat
import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, Dict, Iterator, Optional, Set

from ..errors import BundleDamaged
from ..files import open_to_read

if TYPE_CHECKING:
    import re

CHUNK_BYTES = 1 << 20
MAX_FILES = 20_000
MAX_FILE_BYTES = 2 << 30  # an ONNX file cannot be larger
MAX_BYTES = 32 << 30
MAX_RATIO = 50  # of what is unpacked to the zip file; weights hardly compress
SLACK_BYTES = 1 << 20  # by which small files may exceed that
DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError, OverflowError)

Entries = Dict[str, zipfile.ZipInfo]


@contextlib.contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip file; raises `BundleDamaged` for what is none, or not a whole one."""
    with contextlib.ExitStack() as stack:
        try:
            archive = stack.enter_context(zipfile.ZipFile(stack.enter_context(open_to_read(path))))
        except DAMAGED as exc:
            raise BundleDamaged(f"{path} is not a whole zip file ({exc}); create or copy the bundle again") from exc
        yield archive


def checked_entries(path: Path, archive: zipfile.ZipFile, allowed: re.Pattern[str]) -> Entries:
    """Return the plain files of an archive by their name in its one folder, sound as far as they declare.

    Raises `BundleDamaged` for a name that ``allowed`` does not match, for anything but files and their folders, for
    names that occur twice, and for more or larger files than a bundle can have.
    """
    infos = archive.infolist()
    if len(infos) > MAX_FILES:
        raise BundleDamaged(f"{path} holds {len(infos)} files; a bundle has {MAX_FILES} at most")
    entries: Entries = {}
    folders: Set[str] = set()
    for info in infos:
        folder, _, name = info.orig_filename.partition("/")  # the other one is cut at a null byte
        folders.add(folder)
        if name in ("", "models/") and _is(info, stat.S_IFDIR):
            continue
        if not (allowed.fullmatch(name) and _is(info, stat.S_IFREG)) or info.flag_bits & 1:
            raise BundleDamaged(
                f"{path} holds {info.orig_filename[:120]!r}, which is no plain file of a bundle, inside its one "
                f"folder. It was not made by `gnomon bundle create`; do not unpack it by other means"
            )
        if name in entries:
            raise BundleDamaged(f"{path} holds {name} twice; a bundle has each file once")
        entries[name] = info
    if len(folders) > 1 or any(folder in ("", ".", "..") or "\\" in folder or ":" in folder for folder in folders):
        raise BundleDamaged(f"{path} unpacks into {', '.join(map(repr, sorted(folders)[:3]))}; expected one folder")
    _check_sizes(path, entries)
    return entries


def inflate(
    path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Optional[IO[bytes]], *, sha256: Optional[str]
) -> None:
    """Inflate one file into ``target`` (None: only read it), no further than it declares, and check its digest.

    Raises `BundleDamaged`; and OSError when ``target`` cannot be written.
    """
    name = info.filename.partition("/")[2]
    digest, left_bytes = hashlib.sha256(), info.file_size
    for chunk in _chunks(path, archive, info):
        left_bytes -= len(chunk)
        if left_bytes < 0:
            break
        digest.update(chunk)
        if target is not None:
            target.write(chunk)
    if left_bytes:
        raise BundleDamaged(f"{path}: {name} does not have the {info.file_size} bytes that it declares")
    if sha256 not in (None, digest.hexdigest()):
        raise BundleDamaged(
            f"{path}: {name} has the SHA-256 {digest.hexdigest()}, and its manifest says {sha256}; it was altered or "
            f"damaged. Create or copy the bundle again"
        )


def _chunks(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    try:
        with archive.open(info) as source:
            chunk = source.read(CHUNK_BYTES)
            while chunk:
                yield chunk
                chunk = source.read(CHUNK_BYTES)
    except DAMAGED as exc:
        name = info.filename.partition("/")[2]
        raise BundleDamaged(f"{path}: {name} cannot be unpacked ({exc}); create or copy the bundle again") from exc


def _check_sizes(path: Path, entries: Entries) -> None:
    size_bytes = path.stat().st_size
    limit_bytes = min(MAX_BYTES, MAX_RATIO * size_bytes + SLACK_BYTES)
    declared_bytes = sum(info.file_size for info in entries.values())
    largest_bytes = max((info.file_size for info in entries.values()), default=0)
    if declared_bytes > limit_bytes or largest_bytes > MAX_FILE_BYTES:
        raise BundleDamaged(
            f"{path}, of {size_bytes} bytes, would unpack to {declared_bytes}, its largest file to {largest_bytes}; "
            f"a bundle of that size has {limit_bytes} at most, and {MAX_FILE_BYTES} a file. "
            f"Do not unpack it by other means"
        )


def _is(info: zipfile.ZipInfo, kind: int) -> bool:
    """Tell whether an entry is a file or a folder; one made where there are no such modes says nothing."""
    return stat.S_IFMT(info.external_attr >> 16) in (0, kind)
