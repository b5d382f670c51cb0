import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest


def write_idx(path, array):
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(head + array.astype(np.uint8).tobytes()))


def write_images(folder, training, test):
    """Write images of noise in the published layout to `folder`."""
    rng = np.random.default_rng(0)
    for prefix, n in (("train", training), ("t10k", test)):
        write_idx(folder / f"{prefix}-images-idx3-ubyte.gz", rng.integers(0, 256, (n, 28, 28)))
        write_idx(folder / f"{prefix}-labels-idx1-ubyte.gz", rng.integers(0, 10, n))
    return folder


@pytest.fixture(scope="session")
def full_data(tmp_path_factory):
    """A folder in the published layout, of noise: 5,256 training and 40 test images. Nobody writes to it."""
    return write_images(tmp_path_factory.mktemp("full"), 5256, 40)


@pytest.fixture(scope="session")
def small_data(tmp_path_factory):
    """A folder of the same layout: 256 images to train on where 100 are held out, not 5,000. Nobody writes to it."""
    return write_images(tmp_path_factory.mktemp("small"), 356, 40)


@pytest.fixture
def damaged_data(full_data, tmp_path):
    """A copy of that folder, to do harm to."""
    return Path(shutil.copytree(full_data, tmp_path / "full"))
