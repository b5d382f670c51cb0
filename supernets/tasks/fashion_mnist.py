"""Fashion-MNIST (arXiv 1708.07747): 28x28 grey images of ten kinds of clothing.

The package ships a sample: 512 training images for batch-norm calibration, 2,500 held-out images for validation and
2,500 official test images. The last 5,000 of the 60,000 training images are held out of training; the full set, from
`gnomon data prepare fashion-mnist` or a folder with the four published files, validates on all of them and tests on
all 10,000.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..data.idx import read_idx
from ..data.images import LabelledImages
from ..data.labelled import ClassificationTask
from ..space.space import SearchSpace

MEAN, DEVIATION = 0.2860, 0.3530  # of the training images, scaled to 0..1
HELD_OUT = 5000
CALIBRATION = 512
EMBEDDED = Path(__file__).parents[1] / "data" / "samples" / "fashion_mnist"


def load(space: SearchSpace, folder: Path | None = None) -> ClassificationTask[LabelledImages]:
    """Load the embedded sample, or the full set from `folder`; raises DataUnavailable when files are bad or absent."""
    if folder is None:
        splits = [read_split(EMBEDDED, prefix) for prefix in ("calibration", "validation", "test")]
        return ClassificationTask("fashion_mnist", *splits)
    held_in, held_out = training_split(folder)
    return ClassificationTask("fashion_mnist", held_in.take(slice(CALIBRATION)), held_out, read_split(folder, "t10k"))


def training_split(folder: Path) -> tuple[LabelledImages, LabelledImages]:
    """Return the 55,000 images to train on and the 5,000 held out, from the published files in `folder`."""
    full = read_split(folder, "train")
    return full.take(slice(-HELD_OUT)), full.take(slice(-HELD_OUT, None))


def read_split(folder: Path, prefix: str) -> LabelledImages:
    """Read `prefix`-images-idx3-ubyte.gz and its labels; raises DataUnavailable."""
    images = read_idx(folder / f"{prefix}-images-idx3-ubyte.gz")
    labels = read_idx(folder / f"{prefix}-labels-idx1-ubyte.gz")
    return LabelledImages(images[:, None], labels.astype(np.int64), MEAN, DEVIATION)
