"""A super-network: a search space, its shared weights, and the task they were trained for.

Evaluating an architecture is a pure function of it: batch norm is calibrated on the same images every time, and
nothing in the super-network changes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .errors import CheckpointMismatch, DataUnavailable, UnknownSpace
from .graph import Weights, graph_from_layers
from .registry import load_space
from .space import Architecture, SearchSpace
from .tasks.images import ImageTask, LabelledImages, top1_percent
from .weight_files import SHIPPED, spaces_with_weights, weights_of

if TYPE_CHECKING:
    from .elastic import ElasticNetwork

WEIGHTS = SHIPPED
BATCH = 500


@dataclass(frozen=True)
class Supernet:
    """Weights of all sub-networks of `space`, and the `task` that evaluates them."""

    space: SearchSpace
    network: ElasticNetwork
    task: ImageTask
    checkpoint_sha256: str

    def evaluate(self, architecture: Architecture, split: str = "validation", share: float = 1.0) -> float:
        """Return the sub-network's top-1 accuracy on a split ("validation" or "test"), in percent.

        With a `share` below 1 it is calibrated and judged on that share of the images, the same for every
        architecture; a larger share contains a smaller.
        """
        data = self.split(split)
        if share < 1.0:
            data = data.share(share)
        return top1_percent(self.logits(architecture, data, share), data.labels)

    def logits(self, architecture: Architecture, data: LabelledImages, share: float = 1.0) -> NDArray[np.float32]:
        """Run the sub-network, calibrated on a share of the calibration images, in torch on `data`, (n, classes)."""
        calibration = self.task.calibration.share(share) if share < 1.0 else self.task.calibration
        statistics = self.network.calibrate(architecture, calibration.tensors()[0])
        outputs = self.network.logits(data.tensors()[0], architecture, statistics, batch=BATCH)
        return np.asarray(outputs.numpy(), dtype=np.float32)

    def split(self, name: str) -> LabelledImages:
        """Return the images of a split; raises DataUnavailable for a name other than validation and test."""
        if name not in ("validation", "test"):
            raise DataUnavailable(f"task {self.task.name} has no split {name!r}; it has validation and test")
        return self.task.validation if name == "validation" else self.task.test

    def subnet(self, architecture: Architecture) -> tuple[Weights, ...]:
        """Return the arrays of each layer of a sub-network, batch norm calibrated and folded in."""
        statistics = self.network.calibrate(architecture, self.task.calibration.tensors()[0])
        return self.network.folded(architecture, statistics)

    def onnx(self, architecture: Architecture, *, batch: int = 1) -> bytes:
        """Return the sub-network as an ONNX model."""
        return graph_from_layers(self.space.layers(architecture), self.subnet(architecture), batch=batch)


def load_supernet(space: str, *, checkpoint: Path | None = None, data: Path | None = None) -> Supernet:
    """Load the super-network of `space`: our weights and embedded data, or the user's files.

    Raises UnknownSpace when no weights ship for the space and none are given, CheckpointMismatch for weights of
    another network, DataUnavailable.
    """
    from .elastic import ElasticNetwork
    from .tasks import load_task

    loaded = load_space(space)
    path = checkpoint or weights_of(space)
    if path is None or not path.exists():
        raise UnknownSpace(
            f"no weights for {space!r}{f' at {path}' if path else ''}; there are some for "
            f"{', '.join(spaces_with_weights())}. Latency, macs and params need none; for accuracy pass "
            f"--checkpoint FILE, or make them: gnomon train {space}"
        )
    network = ElasticNetwork(loaded)
    load_weights(network, path)
    network.eval().requires_grad_(False)
    return Supernet(loaded, network, load_task(loaded.task, data), hashlib.sha256(path.read_bytes()).hexdigest())


def load_weights(network: ElasticNetwork, path: Path) -> None:
    """Copy a safetensors file into `network`; raises CheckpointMismatch, naming the first tensor that differs."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointMismatch(f"{path} is not a readable safetensors file: {error}", tensor="(file)") from error
    expected = network.state_dict()
    for name, tensor in expected.items():
        found = tuple(tensors[name].shape) if name in tensors else None
        if found != tuple(tensor.shape):
            raise CheckpointMismatch(
                f"{path} belongs to another network: tensor {name!r} is {found or 'absent'}, "
                f"{network.space.name} needs {tuple(tensor.shape)}",
                tensor=name,
            )
    surplus = [name for name in tensors if name not in expected]
    if surplus:
        raise CheckpointMismatch(
            f"{path} belongs to another network: {network.space.name} has no tensor {surplus[0]!r}", tensor=surplus[0]
        )
    network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})


def save_weights(network: ElasticNetwork, path: Path) -> None:
    """Write the network's tensors as safetensors."""
    from safetensors.torch import save_file

    save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, path)
