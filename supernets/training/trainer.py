"""Train a super-network by the sandwich rule with in-place distillation.

Each step runs the largest sub-network on the labels, then the smallest and some random ones on the largest one's
soft predictions (arXiv 1903.05134). Weights are averaged over steps (EMA); the average is what is kept. Every epoch
ends in a checkpoint, from which a killed run goes on to the same result.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..elastic import ElasticNetwork
from ..errors import CheckpointMismatch
from ..space import SearchSpace
from ..tasks.images import LabelledImages
from ..tasks.labelled import tensors_of
from .augmentation import erase, flip_and_shift


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of training with a learning-rate cycle of its own (warm restarts, arXiv 1608.03983).

    Images are shifted by up to `shift_pixels` and lose squares of up to `erase_pixels`.
    """

    epochs: int
    learning_rate: float
    shift_pixels: int
    erase_pixels: int


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the trained weights, besides the data."""

    phases: tuple[Phase, ...] = (Phase(24, 0.004, 2, 10), Phase(20, 0.003, 1, 6))
    batch: int = 256
    weight_decay: float = 0.02
    warmup: float = 0.1
    random_subnets: int = 2
    label_smoothing: float = 0.1
    ema_decay: float = 0.998
    seed: int = 1

    @property
    def epochs(self) -> int:
        """Epochs of all phases."""
        return sum(phase.epochs for phase in self.phases)

    def phase_at(self, epoch: int) -> tuple[Phase, int]:
        """Return the phase that an epoch belongs to, and the epoch's number in it."""
        for phase in self.phases:
            if epoch < phase.epochs:
                return phase, epoch
            epoch -= phase.epochs
        raise ValueError(f"the recipe has {self.epochs} epochs, there is none {epoch} later")


@dataclass(frozen=True, slots=True)
class Epoch:
    """A point of the learning curve."""

    epoch: int
    loss: float
    largest_top1_percent: float
    smallest_top1_percent: float
    seconds: float


def train(
    space: SearchSpace,
    training: LabelledImages,
    validation: LabelledImages,
    *,
    recipe: Recipe,
    checkpoint: Path,
    on_epoch: Callable[[Epoch], None],
) -> tuple[ElasticNetwork, tuple[Epoch, ...]]:
    """Train and return the averaged network with its learning curve; goes on from `checkpoint` when it exists."""
    torch.manual_seed(recipe.seed)
    network = ElasticNetwork(space).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = ElasticNetwork(space).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average.load_state_dict(network.state_dict())
    optimizer = torch.optim.AdamW(parameter_groups(network, recipe.weight_decay), lr=recipe.phases[0].learning_rate)
    curve = restore(checkpoint, recipe, network, average, optimizer)
    images, labels = tensors_of(training)
    started = time.monotonic()
    before = curve[-1].seconds if curve else 0.0
    for epoch in range(len(curve), recipe.epochs):
        loss = run_epoch(network, average, optimizer, images, labels, recipe=recipe, epoch=epoch)
        smallest, largest = (accuracy(average, genes, training, validation) for genes in extremes(space))
        curve = (*curve, Epoch(epoch, loss, largest, smallest, before + time.monotonic() - started))
        save(checkpoint, recipe, network, average, optimizer, curve)
        on_epoch(curve[-1])
    return average, curve


def run_epoch(
    network: ElasticNetwork,
    average: ElasticNetwork,
    optimizer: torch.optim.Optimizer,
    images: Tensor,
    labels: Tensor,
    *,
    recipe: Recipe,
    epoch: int,
) -> float:
    """Run one epoch, whose randomness depends on the seed and its number alone; returns the mean loss."""
    space, seed = network.space, recipe.seed * 1000 + epoch
    generator, rng = torch.Generator().manual_seed(seed), np.random.default_rng(seed)
    smallest, largest = (space.architecture(genes) for genes in extremes(space))
    steps, losses = len(images) // recipe.batch, []
    phase, epoch_in_phase = recipe.phase_at(epoch)
    order = torch.randperm(len(images), generator=generator)
    for step in range(steps):
        for group in optimizer.param_groups:
            progress = (epoch_in_phase + step / steps) / phase.epochs
            group["lr"] = phase.learning_rate * schedule(progress, recipe.warmup)
        chosen = order[step * recipe.batch : (step + 1) * recipe.batch]
        batch = flip_and_shift(images[chosen], generator, pixels=phase.shift_pixels)
        batch = erase(batch, generator, size=phase.erase_pixels)
        batch = batch.contiguous(memory_format=torch.channels_last)
        optimizer.zero_grad(set_to_none=True)
        logits = network(batch, largest)
        loss = functional.cross_entropy(logits, labels[chosen], label_smoothing=recipe.label_smoothing)
        torch.autograd.backward(loss)
        soft = logits.detach().softmax(1)
        for genes in (smallest.indices, *space.sample(recipe.random_subnets, rng)):
            torch.autograd.backward(functional.cross_entropy(network(batch, space.architecture(genes)), soft))
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        update_average(average, network, recipe.ema_decay, epoch * steps + step)
        losses.append(loss.item())
    return float(np.mean(losses))


def schedule(progress: float, warmup: float) -> float:
    """Return the factor on the learning rate: a linear rise, then half a cosine to zero."""
    if progress < warmup:
        return progress / warmup
    return 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))


def extremes(space: SearchSpace) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the genes of the smallest and the largest sub-network: first and last option everywhere."""
    return tuple(0 for _ in space.choices), tuple(len(choice.options) - 1 for choice in space.choices)


def parameter_groups(network: ElasticNetwork, weight_decay: float) -> list[dict[str, object]]:
    """Decay kernels, not the scales, shifts, biases and kernel transformations."""
    named = list(network.named_parameters())
    decayed = [p for name, p in named if p.ndim > 1 and "transforms" not in name]
    rest = [p for name, p in named if p.ndim <= 1 or "transforms" in name]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": rest, "weight_decay": 0.0}]


@torch.no_grad()
def update_average(average: ElasticNetwork, network: ElasticNetwork, decay: float, step: int) -> None:
    """Move the average towards the network, faster during the first steps."""
    weight = 1 - min(decay, (1 + step) / (10 + step))
    for mean, current in zip(average.parameters(), network.parameters()):
        mean.lerp_(current, weight)


def accuracy(
    network: ElasticNetwork, genes: tuple[int, ...], training: LabelledImages, validation: LabelledImages
) -> float:
    """Return a sub-network's top-1 on `validation` in percent, batch norm calibrated on 2,000 training images."""
    architecture = network.space.architecture(genes)
    statistics = network.calibrate(architecture, tensors_of(training.take(slice(2000)))[0])
    images, labels = tensors_of(validation)
    return float(100 * (network.logits(images, architecture, statistics).argmax(1) == labels).double().mean())


def save(
    path: Path,
    recipe: Recipe,
    network: ElasticNetwork,
    average: ElasticNetwork,
    optimizer: torch.optim.Optimizer,
    curve: tuple[Epoch, ...],
) -> None:
    """Write a checkpoint beside `path` and rename it over."""
    state = {
        "recipe": asdict(recipe),
        "network": network.state_dict(),
        "average": average.state_dict(),
        "optimizer": optimizer.state_dict(),
        "curve": [asdict(point) for point in curve],
    }
    temporary = path.with_suffix(".part")
    torch.save(state, temporary)
    os.replace(temporary, path)


def restore(
    path: Path,
    recipe: Recipe,
    network: ElasticNetwork,
    average: ElasticNetwork,
    optimizer: torch.optim.Optimizer,
) -> tuple[Epoch, ...]:
    """Load a checkpoint, if there is one, and return its learning curve; raises CheckpointMismatch."""
    if not path.exists():
        return ()
    state = torch.load(path, weights_only=True)
    if state["recipe"] != asdict(recipe):
        changed = sorted(name for name, value in asdict(recipe).items() if state["recipe"].get(name) != value)
        raise CheckpointMismatch(f"{path} was made by another recipe; these differ: {changed}", tensor="recipe")
    network.load_state_dict(state["network"])
    average.load_state_dict(state["average"])
    optimizer.load_state_dict(state["optimizer"])
    return tuple(Epoch(**point) for point in state["curve"])
