"""What is done to training examples, chosen anew: the recipe's settings are a default that a user may know better.

Training data list the settings that they read, with the value that stands for "yes" where the recipe has none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from ..errors import SupernetError
from ..plugins import closest_hint
from .recipe import Phase, Recipe

NONE = "none"


def augmented(recipe: Recipe, chosen: str, known: Mapping[str, float]) -> Recipe:
    """Return the recipe with the augmentation that `chosen` lists, in every phase, and no other.

    `chosen` is "none", or settings of `known` joined by commas, each as the phase has it, else as in `known`, or with a
    value: "mirror,shift=3". What follows an underscore is left out of names: shift is shift_pixels. Raises
    SupernetError for anything else.
    """
    names = {setting.partition("_")[0]: setting for setting in known}
    given: dict[str, float | None] = {}
    for item in chosen.split(",") if chosen.strip() != NONE else ():
        name, has_value, text = (part.strip() for part in item.partition("="))
        if name not in names or names[name] in given:
            listed = ", ".join(names) or "(this training data has none)"
            raise SupernetError(
                f"augmentation {chosen!r}: expected {NONE}, or some of {listed} joined by commas, each once, as in "
                f"shift=2; {name!r} is none{closest_hint(name, [*names, NONE])}"
            )
        given[names[name]] = value_of(text, chosen) if has_value else None
    return replace(recipe, phases=tuple(with_settings(phase, given, known) for phase in recipe.phases))


def with_settings(phase: Phase, given: Mapping[str, float | None], known: Mapping[str, float]) -> Phase:
    """Return a phase with these settings alone; None takes the phase's own value, or that of `known`."""
    own = {setting: phase.setting(setting) or known[setting] for setting in given}
    return replace(phase, augmentation={**own, **{name: value for name, value in given.items() if value is not None}})


def value_of(text: str, chosen: str) -> float:
    """Read a value; raises SupernetError unless it is a finite number that is not negative."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise SupernetError(f"augmentation {chosen!r}: {text!r} is no number from 0 on; write shift=2, say")
    return value
