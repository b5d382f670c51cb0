"""Parameter groups of the optimiser, and the average of the weights over steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.nn import Parameter

from ..elastic import ElasticNetwork
from .recipe import Recipe


def optimizer_of(network: ElasticNetwork, recipe: Recipe) -> torch.optim.AdamW:
    """Return AdamW over the network's groups; parameters with a rate factor of zero are frozen."""
    groups = parameter_groups(network, recipe.weight_decay, recipe.rate_factors)
    return torch.optim.AdamW(groups, lr=recipe.phases[0].learning_rate, betas=recipe.betas)


def parameter_groups(
    network: ElasticNetwork, weight_decay: float, factors: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Decay kernels, not the scales, shifts, biases and kernel transformations; one pair of groups a rate factor."""
    groups: dict[float, tuple[list[Parameter], list[Parameter]]] = {}
    for name, parameter in network.named_parameters():
        factor = next((factor for text, factor in factors.items() if text in name), 1.0)
        parameter.requires_grad_(factor > 0)
        if factor > 0:
            undecayed = parameter.ndim <= 1 or "transforms" in name
            groups.setdefault(factor, ([], []))[undecayed].append(parameter)
    return [
        {"params": parameters, "weight_decay": decay, "factor": factor}
        for factor, pair in groups.items()
        for parameters, decay in zip(pair, (weight_decay, 0.0))
        if parameters
    ]


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of every group, times the group's factor."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["factor"]


@torch.no_grad()
def update_average(average: ElasticNetwork, network: ElasticNetwork, decay: float, step: int) -> None:
    """Move the average towards the network, faster during the first steps."""
    weight = 1 - min(decay, (1 + step) / (10 + step))
    for mean, current in zip(average.parameters(), network.parameters()):
        mean.lerp_(current, weight)
