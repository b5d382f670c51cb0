"""Make the weights that ship: train on the full data, write tensors, recipe and learning curve side by side."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from ..errors import DataUnavailable, SupernetError
from ..registry import load_space
from ..supernet import save_weights
from ..tasks import task_module
from .trainer import Epoch, Recipe, train


def train_to_file(
    space: str, data: Path, out: Path, *, recipe: Recipe, force: bool, on_epoch: Callable[[Epoch], None]
) -> None:
    """Train the super-network of `space` and write `out` (.safetensors) with a .json beside it.

    The checkpoint `out`.checkpoint lets an interrupted run go on; it is removed at the end. Raises SupernetError when
    `out` exists and `force` is off, DataUnavailable.
    """
    if out.exists() and not force:
        raise SupernetError(f"{out} is there already; choose another --out, or replace it with --force")
    if not data.is_dir():
        raise DataUnavailable(f"no folder {data}; run: gnomon data prepare fashion-mnist, and pass what it prints")
    loaded = load_space(space)
    training, validation = task_module(loaded.task).training_split(data)
    checkpoint = out.with_name(f"{out.name}.checkpoint")
    network, curve = train(loaded, training, validation, recipe=recipe, checkpoint=checkpoint, on_epoch=on_epoch)
    save_weights(network, out)
    record = {
        "space": loaded.name,
        "space_digest": loaded.digest,
        "sha256": hashlib.sha256(out.read_bytes()).hexdigest(),
        "recipe": asdict(recipe),
        "training_images": len(training),
        "validation_images": len(validation),
        "versions": {name: version(name) for name in ("torch", "numpy")},
        "curve": [asdict(point) for point in curve],
    }
    out.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    checkpoint.unlink(missing_ok=True)
