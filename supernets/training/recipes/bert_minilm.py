"""Fine-tune MiniLM, made elastic, on labelled text: four epochs from the weights of `gnomon data prepare`.

First heads and hidden units shrink, which their order by importance makes easy; then layers are dropped too, which
changes what the classifier sees. The embeddings, half of all weights, stay the parent's.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...checkpoints import first_difference, named_as_ours, published_for, read_tensors, shapes_of
from ...checkpoints.translation import OURS
from ...errors import CheckpointMismatch
from ...space.space import SearchSpace
from ...tasks.movie_reviews import PARENT, prepared, training_split
from ..recipe import Phase, Recipe
from ..training_data.text import TextTrainingData

if TYPE_CHECKING:
    from ...elastic import ElasticNetwork

CLASSIFIER, EMBEDDINGS = "slots.classifier.", "slots.embedding."


def recipe() -> Recipe:
    """Return the recipe."""
    return Recipe(
        phases=(
            Phase(1, 1e-4, elastic=("heads", "ffn"), augmentation={"word_dropout": 0.1}),
            Phase(3, 1e-4, augmentation={"word_dropout": 0.1}),
        ),
        batch=32,
        weight_decay=0.01,
        random_subnets=1,
        ema_decay=0.995,
        clip=5.0,
        bfloat16=True,
        rate_factors={EMBEDDINGS: 0.0, CLASSIFIER: 10.0},
    )


def training_data(space: SearchSpace, data: Path | None) -> TextTrainingData:
    """Return training data from the files in `data`, or from what was prepared; raises DataUnavailable."""
    return TextTrainingData(*training_split(space, data))


def default_parent() -> Path:
    """Return the prepared weights of MiniLM; raises DataUnavailable, naming the command that gets them."""
    return prepared(PARENT) / "model.safetensors"


def read_parent(network: ElasticNetwork, path: Path) -> None:
    """Copy the parent's encoder into the largest sub-network, the most important heads and hidden units first.

    A published encoder has no classifier: the network keeps its own, as it does for other classes. Weights of the
    super-network itself keep their order. Raises CheckpointMismatch.
    """
    from ...elastic.importance import sort_by_importance

    tensors, own = read_tensors(path), network.state_dict()
    found = named_as_ours(network.space.name, tensors)
    for name, tensor in own.items():
        if name.startswith(CLASSIFIER) and (name not in found or found[name].shape != tensor.shape):
            found[name] = tensor
    difference = first_difference(shapes_of(own), shapes_of(found))
    if difference is not None:
        name, shape, needed = difference
        published = published_for(network.space.name)
        raise CheckpointMismatch(
            f"{path} is no parent of {network.space.name}: tensor {name!r} is {shape or 'absent'}, "
            f"expected {needed or 'none'}{f'; it takes {published.expected(network.space.name)}' if published else ''}",
            tensor=name,
        )
    network.load_state_dict({name: tensor.float() for name, tensor in found.items()})
    if not any(name.startswith(OURS) for name in tensors):
        sort_by_importance(network)
