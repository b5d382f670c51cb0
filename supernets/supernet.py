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

if TYPE_CHECKING:
    from .elastic import ElasticNetwork

WEIGHTS = Path(__file__).parent / "weights"
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
    from .checkpoints import absent, load_checkpoint
    from .elastic import ElasticNetwork
    from .tasks import load_task

    loaded = load_space(space)
    path = checkpoint or WEIGHTS / f"{space.partition(':')[0]}.safetensors"
    if checkpoint is not None and not path.exists():
        raise CheckpointMismatch(absent(loaded.name, path), tensor="(file)")
    if not path.exists():
        shipped = sorted(file.stem for file in WEIGHTS.glob("*.safetensors"))
        raise UnknownSpace(
            f"no weights for {space!r} at {path}; weights ship for {', '.join(shipped)}. "
            "Latency, macs and params need none; for accuracy pass --checkpoint FILE"
        )
    network = ElasticNetwork(loaded)
    load_checkpoint(network, path)
    network.eval().requires_grad_(False)
    return Supernet(loaded, network, load_task(loaded.task, data), hashlib.sha256(path.read_bytes()).hexdigest())


def save_weights(network: ElasticNetwork, path: Path) -> None:
    """Write the network's tensors as safetensors."""
    from safetensors.torch import save_file

    save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, path)
