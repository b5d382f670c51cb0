"""Recipes of our own super-networks: one file a space, or an entry point of group gnomon.recipes.

A recipe is a module with `recipe() -> Recipe` and `training_data(space, data) -> TrainingData`; `data` is a folder, or
None for where `gnomon data prepare` puts it. It may have `read_parent(network, path)`, which copies published weights
into the super-network; without it --from takes weights of the space itself. It may have `default_parent()`, the file to
start from without --from.
"""

from __future__ import annotations

from types import ModuleType

from ...recipes import RECIPES, recipe_names
from ...registry import load_space
from ...supernet import require_task


def load_recipe(space: str) -> ModuleType:
    """Import the recipe of `space`, whose options do not matter.

    Raises SupernetError for a space without one, UnknownSpace for a name that no space has, DataUnavailable where it
    has no task either, PluginBroken.
    """
    base = space.partition(":")[0]
    if base not in recipe_names():
        require_task(load_space(space))
    return RECIPES.load(base)
