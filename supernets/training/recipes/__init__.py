"""Recipes of our own super-networks: one file a space, or an entry point of group gnomon.recipes.

A recipe is a module with `recipe() -> Recipe` and `lessons(space, data) -> Lessons`, where `data` is a folder, or None
for where `gnomon data prepare` puts it. It may have `read_parent(network, path)`, which copies published weights into
the super-network; without it --from takes weights of the space itself. It may have `default_parent()`, the file to
start from without --from.
"""

from __future__ import annotations

import importlib
import pkgutil
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from ...errors import SupernetError
from ...registry import load_space
from ...supernet import require_task

GROUP = "gnomon.recipes"


def recipe_names() -> tuple[str, ...]:
    """Name the spaces that have a recipe, sorted."""
    own = {module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])}
    return tuple(sorted(own | {point.name for point in entry_points(group=GROUP)}))


def load_recipe(space: str) -> ModuleType:
    """Import the recipe of `space`, whose options do not matter; raises SupernetError for one without a recipe.

    UnknownSpace for a name that no space has, DataUnavailable where it has no task either.
    """
    base = space.partition(":")[0]
    if base not in recipe_names():
        require_task(load_space(space))
        raise SupernetError(
            f"no recipe to train {base!r}; there is one for {', '.join(recipe_names())}. "
            "Pass weights made elsewhere as `checkpoint`, or write a recipe (docs/spaces.md)"
        )
    for point in entry_points(group=GROUP):
        if point.name == base:
            module: ModuleType = point.load()
            return module
    return importlib.import_module(f".{base}", __package__)
