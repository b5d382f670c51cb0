"""How long a training would take: a few steps of its first and of its last phase, made in a folder that is removed."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, replace

from ...temporary import temporary_folder
from .recipe import Phase, Recipe
from .recipes import load_recipe
from .to_file import TrainingRequest, require_startable, train_to_file
from .trainer import Progress

STEPS = 4  # timed in each phase, after one that warms up


class Enough(Exception):
    """Raised by the step after which enough is known."""


@dataclass(frozen=True, slots=True)
class TrainingEstimate:
    """`steps` in all, with what one takes in the first phase and in the last, in which most varies."""

    steps: int
    first_s: float
    last_s: float

    @property
    def seconds(self) -> tuple[float, float]:
        """The least and the most that all steps take together; judging each epoch comes on top."""
        least_s, most_s = sorted((self.first_s, self.last_s))
        return self.steps * least_s, self.steps * most_s


def estimate_training(request: TrainingRequest) -> TrainingEstimate:
    """Time a few steps of a training; takes as long as ten steps do, and raises what `train_to_file` raises."""
    require_startable(request)
    recipe = request.recipe or load_recipe(request.space).recipe()
    steps, first_s = timed_steps(request, recipe, recipe.phases[0])
    last_s = timed_steps(request, recipe, recipe.phases[-1])[1] if len(recipe.phases) > 1 else first_s
    return TrainingEstimate(steps * recipe.epochs, first_s, last_s)


def timed_steps(request: TrainingRequest, recipe: Recipe, phase: Phase) -> tuple[int, float]:
    """Return the steps of an epoch, and the seconds that one takes in a phase."""
    ends_s: list[float] = []
    steps = 0

    def noted(now: Progress) -> None:
        nonlocal steps
        steps = now.total
        ends_s.append(time.monotonic())
        if len(ends_s) > STEPS:
            raise Enough

    with temporary_folder() as folder:
        alone = replace(recipe, phases=(replace(phase, epochs=1),))
        started_s = time.monotonic()
        with contextlib.suppress(Enough):
            train_to_file(replace(request, out=folder / "tried.safetensors", recipe=alone), on_step=noted)
    timed = [later - earlier for earlier, later in zip([started_s, *ends_s], ends_s)]
    return steps, sum(timed[1:] or timed) / max(1, len(timed) - 1)
