"""Deployments: a network, its precision, runtime and number of threads, as the profiles of one device know them.

Precision changes what a network answers, so it is a choice of every architecture and is validated. Which runtime and
how many threads change nothing but the time, and the time is arithmetic: so of the profiles of a precision the fastest
for each network is taken, and no validation is spent on choosing.

A lower precision is taken not to make a network better at its task. So where only the task's metric and cheap
objectives count, a precision that is no faster for any network than a higher one is left out before the search.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...supernets.registry import PRECISION
from ...supernets.space.space import Indices, SearchSpace, with_setting
from ..errors import InvalidConfig
from ..problem.context import PredictsLatency
from ..problem.objective import Values
from ..problem.reference import extremes
from .provenance import Deployment

if TYPE_CHECKING:
    from ...lut import HardwareProfile

HIGHEST_FIRST = ("fp32", "fp16", "bf16", "int8")
SAME = ("space", "space_digest", "device")  # what profiles must agree in to be deployments on one device


def require_together(profiles: Sequence[HardwareProfile]) -> None:
    """Raise InvalidConfig unless profiles are different deployments on one device."""
    first = profiles[0]
    for other in profiles[1:]:
        pairs = [(field, getattr(first.header, field), getattr(other.header, field)) for field in SAME]
        pairs.append(("batch", first.header.config.batch, other.header.config.batch))
        for field, ours, theirs in pairs:
            if ours != theirs:
                raise InvalidConfig(
                    f"profile {first.name} has the {field} {ours!r}, {other.name} {theirs!r}; several profiles without "
                    "names are deployments on one device. For several devices name them, as pi5=FILE, and "
                    "ask for latency@pi5",
                    field="profile",
                )
    labels = [Deployment.of(profile).label for profile in profiles]
    if twice := sorted({label for label in labels if labels.count(label) > 1}):
        raise InvalidConfig(f"two profiles are of {twice[0]}; give one of them", field="profile")


@dataclass(frozen=True)
class Deployments:
    """The latency of networks in the fastest deployment of their precision; (n, d) architectures are of `space`."""

    space: SearchSpace
    members: tuple[tuple[Deployment, PredictsLatency], ...]
    left_out: tuple[Deployment, ...] = ()

    @staticmethod
    def from_profiles(
        profiles: Sequence[HardwareProfile], space: SearchSpace, *, keep_all: bool = False
    ) -> Deployments:
        """Join profiles of one device; `space` gets the precision as a choice where they are of several.

        Unless `keep_all`, precisions that are no faster than a higher one are left out. Raises InvalidConfig for
        profiles that do not belong together, ProfileMismatch for one of another space, LatencyMissing.
        """
        require_together(profiles)
        for profile in profiles:
            profile.require_for(space.network.name)
        members = tuple((Deployment.of(profile), profile.latency) for profile in profiles)
        useful = useful_precisions(space.network, members)
        kept = tuple(member for member in members if keep_all or member[0].precision in useful)
        precisions = sorted({deployment.precision for deployment, _ in kept})
        space = with_setting(space.network, PRECISION, precisions) if len(precisions) > 1 else space.network
        left_out = tuple(deployment for deployment, model in members if (deployment, model) not in kept)
        return Deployments(space, kept, left_out)

    @property
    def each(self) -> tuple[Deployment, ...]:
        """The deployments, in the order of their numbers."""
        return tuple(deployment for deployment, _ in self.members)

    @property
    def precision(self) -> str:
        """The precision of all deployments, where it is no choice."""
        return self.each[0].precision

    @property
    def precisions(self) -> tuple[str, ...]:
        """Every precision of the deployments, sorted."""
        return tuple(sorted({deployment.precision for deployment in self.each}))

    def value_us(self, indices: Indices) -> Values:
        """Estimate the latency in microseconds of (n, d) architectures, (n,)."""
        return np.asarray(self.each_us(indices).min(axis=1), dtype=np.float64)

    def chosen(self, indices: Indices) -> Values:
        """Return the number of the deployment in which each of (n, d) architectures is fastest, (n,).

        Of equals it is the first.
        """
        return np.asarray(self.each_us(indices).argmin(axis=1), dtype=np.float64)

    def each_us(self, indices: Indices) -> Values:
        """Estimate (n, d) architectures in every deployment, (n, deployments); infinite for another precision."""
        networks = self.space.networks(indices)
        columns = [model.value_us(networks) for _, model in self.members]
        if self.space.settings:
            options = np.array(self.space.settings[-1].options)[np.asarray(indices)[:, -1]]
            columns = [
                np.where(options == deployment.precision, us, np.inf) for deployment, us in zip(self.each, columns)
            ]
        return np.stack(columns, axis=1)


def useful_precisions(space: SearchSpace, members: Sequence[tuple[Deployment, PredictsLatency]]) -> frozenset[str]:
    """Return the precisions in which some network is faster than in every higher one.

    Looked at are the smallest and the largest network and 4,096 fixed draws.
    """
    probe = extremes(space)
    best_us: Values = np.full(len(probe), np.inf)
    useful = set()
    for precision in sorted({deployment.precision for deployment, _ in members}, key=rank_of):
        us = np.min(
            [model.value_us(probe) for deployment, model in members if deployment.precision == precision], axis=0
        )
        if np.any(us < best_us):
            useful.add(precision)
        best_us = np.minimum(best_us, us)
    return frozenset(useful)


def rank_of(precision: str) -> int:
    """Order precisions from the highest to the lowest; an unknown one is the lowest."""
    return HIGHEST_FIRST.index(precision) if precision in HIGHEST_FIRST else len(HIGHEST_FIRST)
