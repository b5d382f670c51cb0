"""Recipes of our own super-networks: one file a space, or an entry point of group gnomon.recipes.

A recipe is a module with `recipe() -> Recipe` and `lessons(space, data) -> Lessons`, where `data` is a folder, or None
for where `gnomon data prepare` puts it. It may have `read_parent(network, path)`, which copies published weights into
the super-network; without it --from takes weights of the space itself. It may have `default_parent()`, the file to
start from without --from.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

from ...errors import SupernetError
from ...plugins import Registry
from ...registry import load_space
from ...supernet import require_task


def no_recipe(kind: str, name: str, known: Sequence[str]) -> SupernetError:
    """Build the error for a space without a recipe."""
    return SupernetError(
        f"no {kind} to train {name!r}; there is one for {', '.join(known)}. "
        "Pass weights made elsewhere as `checkpoint`, or write a recipe (docs/spaces.md)"
    )


RECIPES: Registry[ModuleType] = Registry(
    "recipe", "supernets/training/recipes", no_recipe, "gnomon.recipes", functions=("recipe", "lessons")
)


def recipe_names() -> tuple[str, ...]:
    """Name the spaces that have a recipe, sorted."""
    return RECIPES.names()


def load_recipe(space: str) -> ModuleType:
    """Import the recipe of `space`, whose options do not matter.

    Raises SupernetError for a space without one, UnknownSpace for a name that no space has, DataUnavailable where it
    has no task either, PluginBroken.
    """
    base = space.partition(":")[0]
    if base not in recipe_names():
        require_task(load_space(space))
    return RECIPES.load(base)
