"""Writes bundles as zip files, and reads them back.

A bundle that is read back must be exactly one: no file missing or beyond its manifest, each with the SHA-256 that it
gives (`untrusted_zip.py` says what else is refused). What is unpacked appears whole or not at all. The worker inside is
never run here: this package's own is.
"""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import stat
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Mapping, Tuple

from ...temporary import replacing, sweep, temporary_folder
from ..errors import BundleDamaged, PlanMismatch
from ..journal import json_line
from .archive import worker_archive
from .manifest import MANIFEST, MAX_MANIFEST_BYTES, README, TIMES, WORKER, Bundle, bundle_from_text, read_bundle_folder
from .untrusted_zip import CHUNK_BYTES, Entries, checked_entries, inflate, opened

if TYPE_CHECKING:
    from ..timing.plan import TimingPlan

LONG_AGO = (2000, 1, 1, 0, 0, 0)  # of every file inside, so that equal content gives equal bytes
NAMES = re.compile("|".join([r"models/[0-9a-f]{64}\.onnx", *map(re.escape, (MANIFEST, WORKER, README))]))
README_TEXT = """\
{title}. On the device, in this folder: python3 {worker} --backend {backend} --threads {threads}
It needs Python 3.8 or newer, numpy and a runtime (--list shows which it has); interrupted, the same command goes on.
It ends by naming the one file to carry back, where Gnomon is: gnomon bundle import {name} RESULTS
"""


def write_bundle(
    out: Path,
    folder: Path,
    *,
    plan: TimingPlan,
    origin: Mapping[str, Any],
    title: str,
    asks: str = TIMES,
    is_for_any: bool = True,
) -> Bundle:
    """Write a plan, whose models lie in ``folder``, with the worker as the zip file ``out``.

    Backend, device and threads of the plan are left out, unless the bundle is not for any. The file appears whole or
    not at all; equal plans give equal bytes. Raises OSError.
    """
    backend, threads = ("onnxruntime", 1) if is_for_any else (plan.backend, plan.config.threads)
    readme = README_TEXT.format(title=title, worker=WORKER, name=out.name, backend=backend, threads=threads)
    small = {
        README: readme.encode("utf-8"),
        WORKER: worker_archive(),
    }
    files = {file: Path(file).stem for item in plan.items for file in item.files}
    files.update({name: hashlib.sha256(content).hexdigest() for name, content in small.items()})
    only = None if is_for_any else (plan.backend, plan.config.threads)
    bundle = Bundle(plan.config.precision, plan.config.batch, plan.policy, plan.items, origin, files, asks, only)
    small[MANIFEST] = json_line(bundle.to_json()).encode("utf-8") + b"\n"
    inside = re.sub(r"[^\w.-]", "-", out.stem).strip(".") or "bundle"
    with replacing(out) as file, zipfile.ZipFile(file, "w") as archive:
        for name, content in sorted(small.items()):
            archive.writestr(_entry(f"{inside}/{name}", len(content)), content, zipfile.ZIP_DEFLATED)
        for name in sorted(set(files) - set(small)):  # stored: weights hardly compress
            model = folder / name
            entry = _entry(f"{inside}/{name}", model.stat().st_size)
            with model.open("rb") as source, archive.open(entry, "w") as target:
                shutil.copyfileobj(source, target, CHUNK_BYTES)
    return bundle


def is_bundle(path: Path) -> bool:
    """Tell whether a file says that it is a bundle; whether it is a whole one is not looked at."""
    try:
        with opened(path) as archive:
            _manifest(path, archive)
    except BundleDamaged:
        return False
    return True


def read_bundle(path: Path) -> Bundle:
    """Return what a bundle's zip file says, after checking all of its content; writes nothing.

    Raises `BundleDamaged` for anything that is not exactly a bundle.
    """
    with opened(path) as archive:
        bundle, entries = _manifest(path, archive)
        for name, digest in bundle.files.items():
            inflate(path, archive, entries[name], None, sha256=digest)
    return bundle


def unpack_bundle(path: Path, folder: Path) -> Bundle:
    """Unpack a bundle's zip file as ``folder``, which appears whole or not at all, and return what it says.

    Raises `BundleDamaged` for anything that is not exactly a bundle, and OSError, also when ``folder`` is there.
    """
    with temporary_folder(beside=folder) as beside, opened(path) as archive:
        building = beside / folder.name
        bundle, entries = _manifest(path, archive)
        (building / "models").mkdir(parents=True)
        for name, digest in {**bundle.files, MANIFEST: None}.items():
            with (building / name).open("xb") as target:
                inflate(path, archive, entries[name], target, sha256=digest)
        building.rename(folder)
    return bundle


def unpack_beside(path: Path) -> Path:
    """Unpack a bundle's zip file beside it, or find it unpacked there before, and return the folder.

    Raises what `unpack_bundle` raises, and `PlanMismatch` if the folder holds another bundle.
    """
    folder = path.with_suffix("") if path.suffix else path.with_name(f"{path.name}.unpacked")
    if not folder.exists():
        unpack_bundle(path, folder)
        return folder
    sweep(folder.parent)  # which unpacking does too
    if read_bundle_folder(folder) != read_bundle(path):
        raise PlanMismatch(f"{folder} holds another bundle than {path}; rename one of them to run both")
    return folder


def _manifest(path: Path, archive: zipfile.ZipFile) -> Tuple[Bundle, Entries]:
    """Return what the manifest says, and the entries by name, which are those that it lists."""
    entries = checked_entries(path, archive, NAMES)
    if MANIFEST not in entries or entries[MANIFEST].file_size > MAX_MANIFEST_BYTES:
        raise BundleDamaged(f"{path} has no usable {MANIFEST}; expected a file written by `gnomon bundle create`")
    text = io.BytesIO()
    inflate(path, archive, entries[MANIFEST], text, sha256=None)
    bundle = bundle_from_text(text.getvalue(), where=f"{path}: {MANIFEST}")
    found, expected = set(entries) - {MANIFEST}, set(bundle.files)
    if found != expected:
        missing, beyond = sorted(expected - found), sorted(found - expected)
        what = f"lacks {missing[0]}" if missing else f"holds {beyond[0]}, which its manifest does not list"
        raise BundleDamaged(f"{path} {what} ({len(missing)} missing, {len(beyond)} too many); create or copy it again")
    return bundle, entries


def _entry(name: str, size_bytes: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, LONG_AGO)
    info.file_size = size_bytes
    info.external_attr = (stat.S_IFREG | (0o755 if name.endswith(WORKER) else 0o644)) << 16
    return info
