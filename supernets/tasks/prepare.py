"""Obtain the data sets that Debian ships as packages, check them, and unpack them into the user's cache.

Nothing is installed and no root is needed: the package is downloaded by apt and unpacked by dpkg. Elsewhere, the
published files in any folder serve as well.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataUnavailable


@dataclass(frozen=True, slots=True)
class DebianData:
    """A Debian package that holds a data set: the .deb's checksum, and the folder of the files inside."""

    package: str
    sha256: str
    folder: str
    published: str


DATA_SETS = {
    "fashion-mnist": DebianData(
        package="dataset-fashion-mnist",
        sha256="39e172fe32dd318ebb3e512220c3beea2fa47d7e20bab348fb4e0922d6beefc0",
        folder="usr/share/datasets/fashion-mnist",
        published="https://github.com/zalandoresearch/fashion-mnist",
    )
}


def data_folder(name: str) -> Path:
    """Return where `prepare` puts the data set `name`."""
    from platformdirs import user_cache_path

    return user_cache_path("gnomon") / "data" / name


def prepare(name: str) -> Path:
    """Download, check and unpack a data set unless it is there already; return its folder; raises DataUnavailable."""
    if name not in DATA_SETS:
        raise DataUnavailable(f"no data set {name!r} to prepare; known: {', '.join(DATA_SETS)}")
    source, folder = DATA_SETS[name], data_folder(name)
    if folder.is_dir():
        return folder
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise DataUnavailable(
                f"{name} comes as the Debian package {source.package}, but this system has no {tool}; "
                f"download the files from {source.published} and pass their folder with --data"
            )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        archive = download(source, Path(temporary))
        run_tool(["dpkg-deb", "-x", str(archive), f"{temporary}/unpacked"], cwd=Path(temporary))
        os.replace(Path(temporary) / "unpacked" / source.folder, folder)
    return folder


def download(source: DebianData, folder: Path) -> Path:
    """Return the package's file in `folder`, its checksum verified."""
    run_tool(["apt-get", "download", source.package], cwd=folder)
    archives = sorted(folder.glob(f"{source.package}_*.deb"))
    if not archives:
        raise DataUnavailable(f"apt-get download {source.package} left no file; run: apt-get update, then try again")
    digest = hashlib.sha256(archives[0].read_bytes()).hexdigest()
    if digest != source.sha256:
        raise DataUnavailable(f"{archives[0].name} has sha256 {digest}, expected {source.sha256}; nothing was unpacked")
    return archives[0]


def run_tool(command: list[str], *, cwd: Path) -> None:
    """Run a system tool; raises DataUnavailable with what it printed."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DataUnavailable(
            f"{' '.join(command)} failed: {done.stderr.strip()[-500:]}; run: apt-get update, then try again"
        )
