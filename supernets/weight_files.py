"""Where weights of a super-network are: those that ship, those made here, and published ones that were prepared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SHIPPED = Path(__file__).parent / "weights"
OLD_KEY = "lessons"  # of training data, in records and checkpoints of before


def made_weights(space: str) -> Path:
    """Return where `gnomon train` writes the weights of `space`, options and all, in the user's cache."""
    from platformdirs import user_cache_path

    name = space.replace(":", "-").replace(",", "-")
    return user_cache_path("gnomon") / "weights" / f"{name}.safetensors"


def spaces_with_weights() -> tuple[str, ...]:
    """Name the spaces that have weights, shipped or made here, sorted."""
    folders = (SHIPPED, made_weights("any").parent)
    return tuple(sorted({file.stem for folder in folders for file in folder.glob("*.safetensors")}))


def training_data_of(weights: Path) -> Mapping[str, Any]:
    """Return what the record beside weights says they were taught by; nothing where there is no record of ours."""
    try:
        record = json.loads(weights.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    training_data = record.get("training_data", record.get(OLD_KEY)) if isinstance(record, dict) else None
    return training_data if isinstance(training_data, dict) else {}
