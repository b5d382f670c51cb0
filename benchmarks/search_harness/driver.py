"""Runs methods on landscapes, as a search runs a tactic, without its files."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from gnomon.search.acquisition.fidelity import counting_share
from gnomon.search.archive import Archive, key_of
from gnomon.search.fronts.pareto import non_dominated
from gnomon.search.prediction.posterior import tuned
from gnomon.search.problem.problem import settled
from gnomon.supernets.space.space import Indices
from search_harness.cells import Cells
from search_harness.entrants import Entrant, config_of
from search_harness.landscape import DIRECTIONS, Landscape, objectives_of, volume_of, volumes_of
from search_harness.macro import Macro
from search_harness.measuring import Measuring
from search_harness.ofa import Ofa
from search_harness.ofa_images import FITTED, MEASURED_BLUR, OfaImages
from search_harness.results import Best, Outcome, Results
from search_harness.validated import Validated


def bert(path: Path) -> Landscape:
    """Our super-network of text: its weights are trained by `gnomon train bert_minilm`."""
    return Validated(path, "bert", "bert_minilm", "bert_minilm/intel-xeon-2c.onnxruntime.fp32.b1.t1", 70.0)


LANDSCAPES = {
    "ofa": Ofa,
    "ofa-openvino": lambda path: Ofa(path, "openvino"),
    "ofa-images": OfaImages,
    "ofa-images-fitted": lambda path: OfaImages(path, effects=FITTED, blur=MEASURED_BLUR / 3),
    "macro": Macro,
    "fashion": Validated,
    "bert": bert,
    "cells": Cells,
}
TOLERANCE = 1e-6  # in full validations: sums of shares are not exact
Known = Sequence[tuple[Indices, float]]  # networks and their top-1, validated before the search


@dataclass(frozen=True)
class Job:
    """One run, as a worker process gets it."""

    landscape: str
    path: Path
    method: str
    entrant: Entrant
    variant: str
    seed: int
    budget: int


@cache
def landscape_of(name: str, path: Path) -> Landscape:
    """Load a landscape by name from its file."""
    return LANDSCAPES[name](path)


def searched(
    landscape: Landscape, method: str, entrant: Entrant, variant: str, *, seed: int, budget: int, known: Known = ()
) -> tuple[Outcome, Indices]:
    """Let a method spend its budget; return what became of it, and what it validated in full, (n, d).

    A method is told its budget, to which it may fit its beginning. A round may cost what a population costs; of the
    last one, what is left of the budget is measured, as in a search, and the run ends. `known` networks are in the
    archive from the start, at today's prices, and count as validated; the rows returned leave them out. Where partial
    evaluations count in the front, what has a hypervolume after each round is the front by measured values.
    """
    objectives = objectives_of(landscape, variant, seed)
    config, problem = settled(config_of(entrant, landscape, seed=seed, budget=budget), landscape.space, objectives)
    measured: list[tuple[int, Indices, tuple[float, ...]]] = [
        (-1, row, (top1, float(landscape.price(row[None])[0]))) for row, top1 in known
    ]
    partial: list[tuple[float, Indices, tuple[float, ...]]] = []
    costs, clock = [0.0] * len(known), [0.0] * len(known)
    spent = seconds = 0.0
    taken: list[float] = []
    fronts: list[float] = []  # hypervolumes of fronts that hold partial evaluations
    measuring = Measuring(landscape, objectives, in_part=config.partial_share < 1.0)
    with overridden(entrant.constants):
        built = entrant.build(landscape, config)
        number, n, whole = 0, config.population, True
        while whole and spent < budget - TOLERANCE:
            archive = Archive.of(landscape.space, problem, measured=measured, partial=partial, pilots=measuring.pilots)
            started = time.process_time()
            batch = built.ask(archive, n, np.random.default_rng([seed, number]), number)
            seconds += time.process_time() - started
            if not 0 < batch.shares.sum() <= n + TOLERANCE:
                raise ValueError(f"{method} asked for {batch.shares.sum()} validations in a round that may cost {n}")
            for row, share in zip(batch.rows, batch.shares.tolist()):
                if spent + share > budget + TOLERANCE:
                    whole = False
                    continue
                spent += share
                values = measuring.values(row, share)
                if share < 1.0:
                    partial.append((share, row, values))
                else:
                    measured.append((number, row, values))
                    costs.append(round(spent, 6))
                    taken.append(round(measuring.seconds, 3))
                    clock.append(round(seconds, 3))
            number += 1
            archive = Archive.of(landscape.space, problem, measured=measured, partial=partial, pilots=measuring.pilots)
            counts = counting_share(archive, config.partial_share, budget)
            if counts < 1.0:
                fronts.append(round(volume_of(landscape, counted_front(archive, counts)), 6))
                costs.append(round(spent, 6))
                taken.append(round(measuring.seconds, 3))
                clock.append(round(seconds, 3))
    rows = np.array([row for _, row, _ in measured], dtype=np.int64)
    volumes = [round(volume, 6) for volume in volumes_of(landscape, rows)] + fronts
    outcome = Outcome(
        landscape.name,
        landscape.setting,
        method,
        variant,
        seed,
        budget,
        len(partial),
        tuple(costs),
        tuple(volumes),
        tuple(clock),
        tuple(taken) if measuring.images is not None else (),
    )
    return outcome, rows[len(known) :]


def counted_front(archive: Archive, counts: float) -> Indices:
    """Return what is on the front by measured values of full evaluations and those on a share that counts, (n, d)."""
    full = {key_of(row) for row in archive.indices}
    chosen = archive.partial.shares >= counts
    chosen &= [key_of(row) not in full for row in archive.partial.indices]
    rows = np.concatenate([archive.indices, archive.partial.indices[chosen]])
    return rows[non_dominated(np.concatenate([archive.values, archive.partial.values[chosen]]), DIRECTIONS)]


@contextmanager
def overridden(constants: Mapping[str, Any]) -> Iterator[None]:
    """Give "module:NAME" other values for a while; raises AttributeError for one that is not there."""
    before = []
    try:
        for place, value in constants.items():
            module, name = importlib.import_module(place.partition(":")[0]), place.partition(":")[2]
            before.append((module, name, getattr(module, name)))
            setattr(module, name, value)
        tuned.cache_clear()  # what was worked out under other values
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)
        tuned.cache_clear()


def run_job(job: Job) -> Outcome:
    """Run one search in this process."""
    landscape = landscape_of(job.landscape, job.path)
    return searched(landscape, job.method, job.entrant, job.variant, seed=job.seed, budget=job.budget)[0]


def run_all(
    landscape: str,
    path: Path,
    entrants: Mapping[str, Entrant],
    results: Results,
    *,
    variants: Sequence[str],
    seeds: Sequence[int],
    budget: int,
    jobs: int,
) -> Iterator[Outcome]:
    """Run what `results` lacks, `jobs` processes at a time, and yield each outcome once it is kept.

    Entrants run one after the other, seeds first, so that an interrupted benchmark has whole methods.
    """
    setting, name = landscape_of(landscape, path).setting, landscape_of(landscape, path).name
    wanted = [
        Job(landscape, path, method, entrant, variant, seed, budget)
        for method, entrant in entrants.items()
        for variant, seed in product(entrant.variants, seeds)
        if variant in variants and not results.has(name, setting, method, variant, seed, budget)
    ]
    if jobs == 1:
        finished: Iterator[Outcome] = map(run_job, wanted)
    else:
        pool = ProcessPoolExecutor(jobs)
        finished = (job.result() for job in as_completed([pool.submit(run_job, job) for job in wanted]))
    for outcome in finished:
        results.add(outcome)
        yield outcome


def best_known(landscape: Landscape, results: Results) -> float:
    """Return the best known hypervolume, kept in the results where it is fixed."""
    kept = [one for one in results.bests if (one.landscape, one.setting) == (landscape.name, landscape.setting)]
    if kept:
        return kept[-1].best_known
    best = landscape.best_known()
    if landscape.best_is_fixed:
        results.add(Best(landscape.name, landscape.setting, best))
    return best
