"""Train any super-network by the sandwich rule with in-place distillation.

Each step runs the largest sub-network on the labels, then the smallest and some random ones on the largest one's
soft predictions (arXiv 1903.05134); a phase of the recipe says which genes vary. Weights are averaged over steps
(EMA); the average is what is kept. Every epoch, and every two minutes of a long one, ends in a checkpoint, from which
a killed run goes on to the same result: batches and sub-networks of an epoch depend on its number alone, so those
already done are drawn again and passed over.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..elastic import ElasticNetwork
from ..errors import DataUnavailable
from ..space.space import Architecture, SearchSpace
from .checkpoint import Epoch, Position, Pupils, restore, save
from .optimisation import optimizer_of, set_rate, update_average
from .parent import Parent
from .processor import multiplies_bfloat16
from .recipe import Recipe
from .sandwich import Sandwich, extremes
from .training_data import TrainingData

CHECKPOINT_EVERY_S = 120.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far training is: steps done of all, the last step's loss, and the seconds that are left."""

    done: int
    total: int
    loss: float
    eta_s: float


def train(
    space: SearchSpace,
    training_data: TrainingData,
    *,
    recipe: Recipe,
    checkpoint: Path,
    parent: Parent | None = None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    on_step: Callable[[Progress], None] = lambda progress: None,
) -> tuple[ElasticNetwork, tuple[Epoch, ...]]:
    """Train and return the averaged network with its learning curve; goes on from `checkpoint` when it exists.

    Weights start from `parent`, or random. Raises CheckpointMismatch, SupernetError for a phase that does not fit,
    DataUnavailable where the data do not fill one batch.
    """
    if training_data.steps(recipe) < 1:
        raise DataUnavailable(
            f"too little to train on for one batch of {recipe.batch}: {dict(training_data.described())}"
        )
    for phase in recipe.phases:
        phase.elastic_genes(space)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        pupils = new_pupils(space, recipe, parent)
        origin = {
            "space": space.digest,
            "recipe": asdict(recipe),
            "training_data": dict(training_data.described()),
            "parent_sha256": parent.sha256 if parent else "",
        }
        school = School(training_data, recipe, pupils, on_step)
        position = restore(checkpoint, origin, pupils)
        school.start(position)
        while len(position.curve) < recipe.epochs:

            def keep(losses: tuple[float, ...], curve: tuple[Epoch, ...] = position.curve) -> None:
                save(checkpoint, origin, pupils, Position(curve, losses, school.seconds()))

            losses = school.epoch(len(position.curve), position.losses, keep)
            smallest, largest = (training_data.metric(pupils.average, end) for end in extremes(space))
            loss, seconds = float(np.mean(losses)), school.seconds()
            point = Epoch(len(position.curve), loss, largest, smallest, seconds)
            position = Position((*position.curve, point), (), seconds)
            save(checkpoint, origin, pupils, position)
            on_epoch(point)
    return pupils.average, position.curve


def new_pupils(space: SearchSpace, recipe: Recipe, parent: Parent | None) -> Pupils:
    """Return the network, its average and the optimiser before the first step."""
    network, average = (ElasticNetwork(space).to(memory_format=torch.channels_last) for _ in range(2))  # type: ignore[call-overload]
    if parent:
        parent.copy_into(network)
        network.parent_statistics = None  # of weights that are about to change
    average.load_state_dict(network.state_dict())
    return Pupils(network, average, optimizer_of(network, recipe))


class School:
    """Runs epochs and keeps the time."""

    def __init__(
        self, training_data: TrainingData, recipe: Recipe, pupils: Pupils, on_step: Callable[[Progress], None]
    ) -> None:
        self.training_data, self.recipe, self.pupils, self.on_step = training_data, recipe, pupils, on_step
        self.steps = training_data.steps(recipe)
        self.bfloat16 = recipe.bfloat16 and multiplies_bfloat16()
        self.started, self.before, self.done_before = time.monotonic(), 0.0, 0

    def start(self, position: Position) -> None:
        """Start the clock at a position."""
        self.started, self.before = time.monotonic(), position.seconds
        self.done_before = len(position.curve) * self.steps + len(position.losses)

    def seconds(self) -> float:
        """Return the seconds of training, those before an interruption included."""
        return self.before + time.monotonic() - self.started

    def epoch(
        self, epoch: int, before: tuple[float, ...], keep: Callable[[tuple[float, ...]], None]
    ) -> tuple[float, ...]:
        """Run an epoch from the step after those of the losses `before` on, and return the losses of all its steps."""
        recipe, seed = self.recipe, self.recipe.seed * 1000 + epoch
        phase, epoch_in_phase = recipe.phase_at(epoch)
        sandwich = Sandwich(self.pupils.network.space, phase, recipe.random_subnets)
        generator, rng = torch.Generator().manual_seed(seed), np.random.default_rng(seed)
        losses, kept_at = list(before), time.monotonic()
        for step, batch in enumerate(self.training_data.batches(recipe, phase, epoch, generator)):
            students = sandwich.students(rng)
            if step < len(before):
                continue
            torch.manual_seed(seed * 1_000_000 + step)  # for dropout: a step's depends on its number alone
            set_rate(self.pupils.optimizer, phase.rate_at((epoch_in_phase + step / self.steps) / phase.epochs))
            loss = self.step(batch, sandwich.largest, students)
            update_average(self.pupils.average, self.pupils.network, recipe.ema_decay, epoch * self.steps + step)
            losses.append(loss)
            self.tell(epoch * self.steps + step + 1, loss)
            if time.monotonic() - kept_at >= CHECKPOINT_EVERY_S:
                keep(tuple(losses))
                kept_at = time.monotonic()
        return tuple(losses)

    def step(self, batch: tuple[Any, Any], largest: Architecture, students: tuple[Architecture, ...]) -> float:
        """Train the largest on the targets and the students on what the largest says; returns the former's loss."""
        (inputs, targets), network, training_data = batch, self.pupils.network, self.training_data
        self.pupils.optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.bfloat16):
            outputs = training_data.forward(network, inputs, largest)
            loss = training_data.loss(outputs, targets)
        torch.autograd.backward(loss)
        teacher = detached(outputs)
        for student in students:
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.bfloat16):
                outputs = training_data.forward(network, inputs, student)
                distilled = training_data.distillation(outputs, teacher, targets)
            torch.autograd.backward(distilled)
        torch.nn.utils.clip_grad_norm_(network.parameters(), self.recipe.clip)
        self.pupils.optimizer.step()
        return loss.item()

    def tell(self, done: int, loss: float) -> None:
        """Report progress; the time left supposes the pace of this process so far."""
        total = self.steps * self.recipe.epochs
        pace_s = (time.monotonic() - self.started) / (done - self.done_before)
        self.on_step(Progress(done, total, loss, pace_s * (total - done)))


def detached(outputs: Any) -> Any:
    """Return outputs without their gradients: a tensor, or a tuple, list or mapping of outputs."""
    if isinstance(outputs, torch.Tensor):
        return outputs.detach()
    if isinstance(outputs, dict):
        return {name: detached(value) for name, value in outputs.items()}
    return type(outputs)(detached(value) for value in outputs)
