"""From a recipe to a file: weights as safetensors, with recipe, learning curve, versions and digests beside them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

from ...inputs import exists, fault_of_file
from ...outputs import file_kind, require_free, require_writable
from ...temporary import sweep, temporary_folder
from ..checkpoints import load_checkpoint
from ..checkpoints.own_files import save_weights
from ..errors import CheckpointMismatch
from ..recipes import RECIPES
from ..registry import load_space
from ..supernet import require_folder
from ..weight_files import OLD_KEY, made_weights
from .augmentation import augmented
from .checkpoint import Epoch, kept_state
from .parent import Parent
from .processor import multiplies_bfloat16
from .recipe import Recipe
from .recipes import load_recipe
from .trainer import Progress, train


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """What to train, from what data, and where the weights go.

    Without `data`, the place where `gnomon data prepare` puts it; without `out`, the user's cache, where
    `load_supernet` finds the weights. `parent` is a file of weights to start from; `recipe` replaces the space's own;
    `augmentation` replaces the recipe's, in the words of augmentation.py.
    """

    space: str
    data: Path | None = None
    out: Path | None = None
    parent: Path | None = None
    recipe: Recipe | None = None
    force: bool = False
    augmentation: str | None = None

    @property
    def file(self) -> Path:
        """The .safetensors file to write."""
        return self.out or made_weights(self.space)

    @property
    def checkpoint(self) -> Path:
        """Where an interrupted run goes on from; removed at the end."""
        return self.file.with_name(f"{self.file.name}.checkpoint")


def shortened(recipe: Recipe, epochs: int) -> Recipe:
    """Return the recipe as one phase of so many epochs: the first, with the genes that vary in the last."""
    return replace(recipe, phases=(replace(recipe.phases[0], epochs=epochs, elastic=recipe.phases[-1].elastic),))


def largest_alone(recipe: Recipe) -> Recipe:
    """Return the recipe with nothing elastic: the largest sub-network as if it were the only one."""
    return replace(recipe, phases=tuple(replace(phase, elastic=()) for phase in recipe.phases))


def train_to_file(
    request: TrainingRequest,
    *,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    on_step: Callable[[Progress], None] = lambda progress: None,
) -> Path:
    """Train as asked and return the .safetensors file, which has a .json of the same name beside it.

    Raises SupernetError when the space has no recipe or the file exists (with `force`, when it is no such file),
    DataUnavailable, CheckpointMismatch.
    """
    out = request.file
    clear_finished(request)
    require_startable(request)
    space, chosen = load_space(request.space), load_recipe(request.space)
    require_folder(request.data)
    with RECIPES.blaming(space.name.partition(":")[0]):
        recipe, training_data = request.recipe or chosen.recipe(), chosen.training_data(space, request.data)
    if request.augmentation is not None:
        recipe = augmented(recipe, request.augmentation, getattr(training_data, "augmentations", {}))
    reader = getattr(chosen, "read_parent", load_checkpoint)
    weights = request.parent or getattr(chosen, "default_parent", lambda: None)()
    parent = Parent(weights, reader) if weights else None
    network, curve = train(
        space,
        training_data,
        recipe=recipe,
        checkpoint=request.checkpoint,
        parent=parent,
        on_epoch=on_epoch,
        on_step=on_step,
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(beside=out) as beside:
        fresh = beside / out.name
        save_weights(network, fresh, float16=recipe.float16_file)
        record = {
            "space": space.name,
            "space_digest": space.digest,
            "sha256": hashlib.sha256(fresh.read_bytes()).hexdigest(),
            "recipe": asdict(recipe),
            "computed_in": "bfloat16" if recipe.bfloat16 and multiplies_bfloat16() else "float32",
            "training_data": dict(training_data.described()),
            "data": str(request.data or "prepared"),
            "parent": parent and {"file": parent.path.name, "sha256": parent.sha256},
            "metric": training_data.metric_name,
            "versions": {name: version(name) for name in ("torch", "numpy")},
            "result": {"largest": curve[-1].largest, "smallest": curve[-1].smallest},
            "curve": [asdict(point) for point in curve],
        }
        fresh.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        check_place(out, force=request.force)  # again: training took a while
        os.replace(fresh.with_suffix(".json"), out.with_suffix(".json"))  # first: no weights without their record
        os.replace(fresh, out)
    request.checkpoint.unlink(missing_ok=True)
    return out


def clear_finished(request: TrainingRequest) -> None:
    """Remove the state of a training whose weights are there: a kill came between the two."""
    sweep(request.file.parent)
    if not exists(request.checkpoint) or WEIGHTS.fault(request.file):
        return
    record = json.loads(request.file.with_suffix(".json").read_bytes())
    with suppress(CheckpointMismatch):
        state = kept_state(request.checkpoint)
        if state is not None and state.get("curve") == record["curve"]:
            request.checkpoint.unlink(missing_ok=True)


def require_startable(request: TrainingRequest) -> None:
    """Raise OutputUnusable or CheckpointMismatch where a training could not write, or go on; writes nothing."""
    check_place(request.file, force=request.force)
    require_writable(request.file)
    kept_state(request.checkpoint)


def check_place(weights: Path, *, force: bool) -> None:
    """Raise OutputUnusable unless weights and the record beside them are absent, or `force` may replace such."""
    require_free(weights, WEIGHTS, force=force)
    require_free(weights.with_suffix(".json"), RECORD, force=True)


def is_record(path: Path) -> bool:
    """Tell whether a file is the record of trained weights; raises OSError."""
    if fault_of_file(path):
        return False
    try:
        record = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return False
    return (
        isinstance(record, dict)
        and {"space_digest", "sha256", "recipe", "curve"} <= set(record)
        and ("training_data" in record or OLD_KEY in record)
    )


RECORD = file_kind("the record of trained weights", is_record)
WEIGHTS = file_kind("trained weights", lambda path: is_record(path.with_suffix(".json")))
