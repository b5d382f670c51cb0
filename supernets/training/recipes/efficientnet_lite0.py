"""Fine-tune EfficientNet-Lite0, made elastic, on images of your own, from the published weights.

First the largest sub-network learns the new classes, then kernels and expansions shrink, then stages too. Weights
from ImageNet move at a tenth of the new classifier's rate.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...checkpoints import load_checkpoint, named_as_ours, read_tensors, shapes_of
from ...checkpoints.formats.efficientnet_lite0 import FILE
from ...checkpoints.translation import OURS
from ...data.prepare import data_folder
from ...errors import CheckpointMismatch, DataUnavailable
from ...space.space import SearchSpace
from ...tasks.image_folder_half import training_split
from ..recipe import Phase, Recipe
from ..training_data.images import ImageTrainingData

if TYPE_CHECKING:
    from ...elastic import ElasticNetwork

CLASSIFIER = "slots.classifier.steps.classifier."
MILD = {"mirror": 0.5, "shift_pixels": 4}  # photographs


def recipe() -> Recipe:
    """Return the recipe."""
    return Recipe(
        phases=(
            Phase(3, 0.003, elastic=(), augmentation=MILD),
            Phase(4, 0.003, elastic=("kernel", "expand"), augmentation=MILD),
            Phase(10, 0.003, augmentation=MILD),
        ),
        batch=64,
        ema_decay=0.99,
        rate_factors={CLASSIFIER: 1.0, "": 0.1},  # every name contains the empty text
    )


def training_data(space: SearchSpace, data: Path | None) -> ImageTrainingData:
    """Return training data from the class folders in `data`; raises DataUnavailable."""
    if data is None:
        raise DataUnavailable("pass your images: `data=FOLDER` with train/CLASS/IMAGE and val/CLASS/IMAGE")
    return ImageTrainingData(*training_split(space, data))


def default_parent() -> Path:
    """Return the prepared weights; raises DataUnavailable, naming the command that gets them."""
    path = data_folder("efficientnet-lite0") / FILE
    if not path.exists():
        raise DataUnavailable(
            f"no weights to start from at {path}; run: gnomon data prepare efficientnet-lite0, or pass `parent=FILE`"
        )
    return path


def read_parent(network: ElasticNetwork, path: Path) -> None:
    """Copy the published network into the largest sub-network, the most important channels first.

    The classifier stays new where the classes are others than ImageNet's. A file of the super-network itself is taken
    as it is. Raises CheckpointMismatch.
    """
    from ...elastic.importance import sort_by_importance

    tensors = read_tensors(path)
    if any(name.startswith(OURS) for name in tensors):
        load_checkpoint(network, path)
        return
    own = network.state_dict()
    found = named_as_ours(network.space.name, tensors)
    for name, tensor in own.items():
        if name.startswith(CLASSIFIER) and name in found and found[name].shape != tensor.shape:
            found[name] = tensor
    shapes, needed = shapes_of(found), shapes_of(own)
    odd = [name for name in {**needed, **shapes} if shapes.get(name) != needed.get(name)]
    if odd:
        raise CheckpointMismatch(
            f"{path} is not EfficientNet-Lite0: tensor {odd[0]!r} is {shapes.get(odd[0], 'absent')}, expected "
            f"{needed.get(odd[0], 'none')}; run: gnomon data prepare efficientnet-lite0",
            tensor=odd[0],
        )
    network.load_state_dict(found)
    sort_by_importance(network)
