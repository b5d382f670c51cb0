"""BoTorch's noisy expected hypervolume improvement (qLogNEHVI; Daulton et al. 2021, arXiv 2105.08195), four at a time.

Twenty random networks, then every round one standard SingleTaskGP an objective on genes scaled to 0..1, fitted by
maximum likelihood, and four candidates taken greedily: of 200 random networks, the neighbours of the measured front,
and 600 copies of the front with one to four genes changed. BoTorch's own local search over discrete choices, from
eight starts, took several times as long a round. With exact prices the price is a deterministic model, not a process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gnomon.search import non_dominated
from gnomon.search.archive import Archive
from gnomon.search.tactic import Batch
from gnomon.supernets.space.space import Indices
from search_harness.landscape import Landscape

FIRST, RANDOM, CHANGED, SAMPLES = 20, 200, 600, 64


@dataclass(frozen=True)
class ExpectedHypervolume:
    """Keeps nothing between rounds."""

    landscape: Landscape

    def ask(self, archive: Archive, n: int, rng: np.random.Generator, round: int) -> Batch:
        """Return `n` unseen networks, (n, d)."""
        rows = archive.indices[:0]
        if len(archive.indices) >= FIRST:
            rows = self.best(archive, n, candidates(archive, rng), int(rng.integers(2**31)))
        return Batch.of(archive.topped_up(rows, n, rng), len(archive.objectives))

    def best(self, archive: Archive, n: int, rows: Indices, seed: int) -> Indices:
        """Return those of the rows that the acquisition function takes one after the other, (n, d)."""
        import torch
        from botorch.acquisition.multi_objective.logei import qLogNoisyExpectedHypervolumeImprovement
        from botorch.optim.optimize import optimize_acqf_discrete
        from botorch.sampling.get_sampler import get_sampler

        torch.set_num_threads(1)
        torch.manual_seed(seed)
        radices = self.landscape.space.radices
        seen = torch.tensor(archive.indices / (radices - 1))
        corner = torch.tensor(self.landscape.reference, dtype=torch.float64) * torch.tensor([1.0, -1.0])
        model, shift, scale = self.model(archive, seen)
        acquisition = qLogNoisyExpectedHypervolumeImprovement(
            model=model,
            ref_point=((corner - shift) / scale).tolist(),
            X_baseline=seen,
            sampler=get_sampler(model.posterior(seen[:1]), torch.Size([SAMPLES]), seed=seed),
            prune_baseline=True,
            cache_root=all(objective.costly for objective in archive.objectives),
        )
        taken, _ = optimize_acqf_discrete(
            acquisition, q=n, choices=torch.tensor(rows / (radices - 1)), max_batch_size=512, unique=True
        )
        return np.asarray(np.rint(taken.numpy() * (radices - 1)), dtype=np.int64)

    def model(self, archive: Archive, seen: Any) -> tuple[Any, Any, Any]:
        """Fit what is costly; return the model of standardised, maximised objectives, their shift and their scale."""
        import torch
        from botorch.fit import fit_gpytorch_mll
        from botorch.models import ModelListGP, SingleTaskGP
        from botorch.models.deterministic import GenericDeterministicModel
        from botorch.models.model import ModelList
        from gpytorch.mlls import ExactMarginalLogLikelihood

        values = torch.tensor(archive.values) * torch.tensor([1.0, -1.0], dtype=torch.float64)
        shift, scale = values.mean(dim=0), values.std(dim=0)
        models: list[Any] = []
        for column, objective in enumerate(archive.objectives):
            if objective.costly:
                targets = ((values - shift) / scale)[:, column : column + 1]
                process = SingleTaskGP(seen, targets, outcome_transform=None)
                fit_gpytorch_mll(ExactMarginalLogLikelihood(process.likelihood, process))
                models.append(process)
            else:
                models.append(GenericDeterministicModel(lambda x, c=column: (self.prices(x) - shift[c]) / scale[c]))
        exact = len(models) > sum(objective.costly for objective in archive.objectives)
        return (ModelList if exact else ModelListGP)(*models), shift, scale

    def prices(self, scaled: Any) -> Any:
        """Return the price of genes scaled to 0..1, (..., d), as something to maximise, (..., 1)."""
        import torch

        radices = self.landscape.space.radices
        rows = np.rint(scaled.detach().numpy().reshape(-1, len(radices)) * (radices - 1)).astype(np.int64)
        return -torch.tensor(self.landscape.price(rows)).reshape(*scaled.shape[:-1], 1)


def candidates(archive: Archive, rng: np.random.Generator) -> Indices:
    """Return unseen networks to choose from, (n, d): random ones, and some close to the measured front."""
    space = archive.space
    front = archive.indices[non_dominated(archive.values, archive.directions)]
    near = [space.neighbours(space.architecture(row)) for row in front]
    copies = front[rng.integers(len(front), size=CHANGED)]
    rates = rng.integers(1, 5, size=(CHANGED, 1)) / len(space.choices)
    drawn = rng.integers(0, space.radices, size=copies.shape)
    changed = np.where(rng.random(copies.shape) < rates, drawn, copies)
    return archive.unseen(np.concatenate([space.sample(RANDOM, rng), changed, *near]))


def build(landscape: Landscape) -> ExpectedHypervolume:
    """Build it."""
    return ExpectedHypervolume(landscape)
