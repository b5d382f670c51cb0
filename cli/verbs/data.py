"""`gnomon data`: obtain data sets."""

from __future__ import annotations

from typing import Annotated

import typer

from ..groups import group_of_commands
from ..options.common import DryRun


def register(app: typer.Typer) -> None:
    """Add the verb."""
    data = group_of_commands(app, "data", "Obtain data sets.")

    @data.command()
    def prepare(
        name: Annotated[str, typer.Argument(help="Data set, e.g. fashion-mnist.")], dry_run: DryRun = False
    ) -> None:
        """Download a data set, check its sha256, and unpack it into the user's cache."""
        from ...supernets.data.prepare import prepare as prepare_data

        if dry_run:
            print_download(name)
            return
        folder = prepare_data(name)
        print(folder)


def print_download(name: str) -> None:
    """Print what preparing a data set would download, and where it would lie."""
    from ...outputs import require_writable
    from ...supernets.data.prepare import data_folder, source_of
    from ..printing.estimate import print_disk

    source, folder = source_of(name), data_folder(name)
    if folder.is_dir():
        print(f"there    {folder}: nothing is downloaded")
        return
    source.check_tools(name)
    require_writable(folder, "XDG_CACHE_HOME")
    print(f"download {source.download_mib} MiB; the time is the network's")
    print(f"folder   {folder}")
    print_disk(source.disk_mib)
