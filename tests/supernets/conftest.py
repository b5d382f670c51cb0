import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest


def write_idx(path, array):
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(head + array.astype(np.uint8).tobytes()))


@pytest.fixture(scope="session")
def full_data(tmp_path_factory):
    """A folder in the published layout, of noise: 5,256 training and 40 test images. Nobody writes to it."""
    folder, rng = tmp_path_factory.mktemp("full"), np.random.default_rng(0)
    for prefix, n in (("train", 5256), ("t10k", 40)):
        write_idx(folder / f"{prefix}-images-idx3-ubyte.gz", rng.integers(0, 256, (n, 28, 28)))
        write_idx(folder / f"{prefix}-labels-idx1-ubyte.gz", rng.integers(0, 10, n))
    return folder


@pytest.fixture
def damaged_data(full_data, tmp_path):
    """A copy of that folder, to do harm to."""
    return Path(shutil.copytree(full_data, tmp_path / "full"))
