"""Which super-networks there is a recipe to train for; the recipes are modules of `training/recipes/`."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

from .errors import SupernetError
from .plugins import Registry


def no_recipe(kind: str, name: str, known: Sequence[str]) -> SupernetError:
    """Build the error for a space without a recipe."""
    return SupernetError(
        f"no {kind} to train {name!r}; there is one for {', '.join(known)}. "
        "Pass weights made elsewhere as `checkpoint`, or write a recipe (docs/spaces.md)"
    )


RECIPES: Registry[ModuleType] = Registry(
    "recipe", "supernets/training/recipes", no_recipe, "gnomon.recipes", functions=("recipe", "training_data")
)


def recipe_names() -> tuple[str, ...]:
    """Name the spaces that have a recipe, sorted."""
    return RECIPES.names()
