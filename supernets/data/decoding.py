"""Image files as arrays of bytes: decoded when they are first asked for, and kept in the user's cache.

Fifty thousand images of 224 pixels are 30 GB of numbers; as bytes in a file that is mapped into memory they are 7.5 GB
of disk, and only what a share of them needs is ever decoded. A kept file belongs to one list of files (names, sizes,
times), one way to decode and one version of Pillow; where any of them changes there is another file.
"""

from __future__ import annotations

import hashlib
import math
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import DataUnavailable
from .reading import require_regular

if TYPE_CHECKING:
    from PIL.Image import Image

MODES = {1: "L", 3: "RGB"}
CHUNK = 256  # images that threads work on before they are written


@dataclass(frozen=True, slots=True)
class Decoding:
    """How a file becomes (channels, resolution, resolution) bytes.

    The short side is resized to ceil(resolution / margin), bilinearly, and the centre cut out: at 0.875 as
    Once-for-All and torchvision evaluate, at 1.0 nothing but the longer side is cut.
    """

    channels: int
    resolution: int
    margin: float = 0.875

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return an image's shape."""
        return (self.channels, self.resolution, self.resolution)

    def decode(self, path: Path) -> NDArray[np.uint8]:
        """Return the image in `path`; raises DataUnavailable, naming it, when it cannot be read as one."""
        import PIL.Image

        try:
            require_regular(path)
            with PIL.Image.open(path) as opened:
                return self.cut(opened.convert(MODES[self.channels]))
        except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError, Warning) as error:
            raise DataUnavailable(
                f"{path} cannot be decoded as an image ({error}); replace it by an intact copy or take it out"
            ) from error

    def cut(self, image: Image) -> NDArray[np.uint8]:
        """Return the resized centre of an image, (channels, resolution, resolution)."""
        import PIL.Image

        short = math.ceil(self.resolution / self.margin)
        width, height = image.size
        size = (short, short * height // width) if width <= height else (short * width // height, short)
        if size != image.size:
            image = image.resize(size, PIL.Image.Resampling.BILINEAR)
        left, top = (round((side - self.resolution) / 2) for side in image.size)
        pixels = np.asarray(image.crop((left, top, left + self.resolution, top + self.resolution)))
        return np.ascontiguousarray(pixels.reshape(self.resolution, self.resolution, -1).transpose(2, 0, 1))

    def said(self) -> str:
        """Say what is done, for the record beside an exported file."""
        short = math.ceil(self.resolution / self.margin)
        return f"short side to {short} pixels, bilinear; centre of {self.resolution} x {self.resolution}"


@dataclass(frozen=True, slots=True)
class DecodedFiles:
    """The images of `paths`, kept in `folder`."""

    paths: tuple[Path, ...]
    decoding: Decoding
    folder: Path

    def images(self, positions: NDArray[np.integer]) -> NDArray[np.uint8]:
        """Return the images at `positions`, (n, channels, resolution, resolution).

        Raises DataUnavailable for a file that is no image, and where the cache cannot be written.
        """
        if not len(positions):
            return np.zeros((0, *self.decoding.shape), dtype=np.uint8)
        pixels, done = self.folder / "pixels", self.folder / "done"
        try:
            self._prepare(pixels, done)
            is_done = np.fromfile(done, dtype=np.uint8)
            missing = np.unique(positions[is_done[positions] == 0])
            self._check_room(len(missing))
            with pixels.open("r+b") as pixel_file, done.open("r+b") as done_file:
                for position, image in self._decoded(missing):
                    pixel_file.seek(int(position) * image.nbytes)
                    pixel_file.write(image.tobytes())
                    pixel_file.flush()
                    done_file.seek(int(position))
                    done_file.write(b"\1")
            kept = np.memmap(pixels, dtype=np.uint8, mode="r", shape=(len(self.paths), *self.decoding.shape))
            return np.asarray(kept[positions])
        except OSError as error:
            raise DataUnavailable(
                f"decoded images cannot be kept in {self.folder}: {error}; "
                "name another place with the environment variable XDG_CACHE_HOME"
            ) from error

    def _prepare(self, pixels: Path, done: Path) -> None:
        """Make both files in their full, empty size, unless they are there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for path, size in ((pixels, math.prod(self.decoding.shape)), (done, 1)):
            with path.open("ab") as file:
                if file.tell() != size * len(self.paths):
                    file.truncate(size * len(self.paths))

    def _check_room(self, n: int) -> None:
        needed, free = n * math.prod(self.decoding.shape), shutil.disk_usage(self.folder).free
        if needed > free:
            raise OSError(f"{n:,} images take {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are free")

    def _decoded(self, positions: NDArray[np.integer]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for start in range(0, len(positions), CHUNK):
                chunk = positions[start : start + CHUNK]
                yield from zip(chunk, pool.map(self.decoding.decode, [self.paths[i] for i in chunk]))


def decoded_files(paths: tuple[Path, ...], decoding: Decoding, *, under: Path | None = None) -> DecodedFiles:
    """Return the images of `paths` with their place in the cache (`under`, or the user's); decodes nothing yet."""
    import PIL
    from platformdirs import user_cache_path

    digest = hashlib.sha256(f"1 {PIL.__version__} {decoding}".encode())  # 1: version of the two files
    for path in paths:
        try:
            found = path.stat()
        except OSError as error:
            raise DataUnavailable(f"cannot read {path}: {error}") from error
        digest.update(f"{path.absolute()}\0{found.st_size}\0{found.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
    return DecodedFiles(paths, decoding, (under or user_cache_path("gnomon") / "images") / digest.hexdigest()[:32])
