"""Who evaluates sub-networks: this process, or workers elsewhere.

An executor is given jobs, an architecture and a share of the data each, and gives back what they measured, in whatever
order they end. Workers are stateless: what they measure depends on the job and on the objectives that they were
started with, so that any worker can do any job, twice too. They never price or time anything: cheap objectives and
those `on_device` stay in the process that searches. Executors are modules of `executors/`, as `Builder` describes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..errors import GnomonError
from ..settings import WORKERS
from ..supernets.evaluation.deciding import Outcomes
from ..supernets.plugins import Registry
from .errors import InvalidConfig, SearchError, UnknownName
from .problem.objective import Objective
from .problem.partial import measured

MOST_SAID = 500  # characters of a reason
Key = tuple[int, int]  # round and position of a trial


@dataclass(frozen=True, slots=True)
class Job:
    """An evaluation: the option indices of an architecture, on a `share` of the data.

    `pilots` are the outcomes of those so far, None where partial evaluations are on random examples.
    """

    indices: tuple[int, ...]
    share: float
    pilots: tuple[Outcomes, ...] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A value of each of the workers' objectives and, of a pilot, its outcomes; or why there are none, in a line."""

    values: tuple[float, ...] = ()
    outcomes: Outcomes | None = None
    failed: str | None = None
    seconds: float = 0.0


class Executor(Protocol):
    """Evaluates jobs; used as long as a search is open, then closed."""

    @property
    def free(self) -> int:
        """How many more jobs would begin at once."""

    def submit(self, key: Key, job: Job) -> None:
        """Take a job; `key` names it in its answer."""

    def answer(self) -> tuple[Key, Answer] | None:
        """Wait for one of the jobs to end; None when more workers became free instead. Raises WorkersUnavailable."""

    def close(self) -> None:
        """End the workers; jobs that have not ended are given up."""


class Builder(Protocol):
    """A module that makes an executor."""

    def require_usable(self, workers: Workers) -> None:
        """Raise what `build` would, as far as it is known before anything is started."""

    def build(self, objectives: Sequence[Objective], workers: Workers) -> Executor:
        """Start the workers; raises WorkersUnavailable, InvalidConfig."""


@dataclass(frozen=True, slots=True)
class Workers:
    """Where sub-networks are evaluated: `executor` is its name, with ://ADDRESS behind it where it has one.

    As many `workers` as fit unless told, each with so many CPUs and GPUs, which may be parts of one. No run depends on
    these. Raises UnknownName, InvalidConfig.
    """

    executor: str = WORKERS["executor"].default
    workers: int | None = WORKERS["workers"].default
    worker_cpus: float = WORKERS["worker_cpus"].default
    worker_gpus: float = WORKERS["worker_gpus"].default

    def __post_init__(self) -> None:
        EXECUTORS.check(self.name)
        for name, setting in WORKERS.items():
            value = getattr(self, name)
            if fault := setting.fault(value):
                raise InvalidConfig(f"{name}={value}: {fault}", field=name)

    @property
    def name(self) -> str:
        """Name of the executor."""
        return self.executor.partition("://")[0]

    @property
    def address(self) -> str:
        """What stands after ://, "" for nothing."""
        return self.executor.partition("://")[2]


EXECUTORS: Registry[Builder] = Registry("executor", "search/executors", UnknownName.of)
HERE = Workers()


def evaluated(objectives: Sequence[Objective], job: Job) -> Answer:
    """Evaluate a job here.

    An interrupt, and what would befall every other architecture too, as a device that cannot be reached, is not caught.
    """
    began = time.monotonic()
    try:
        values, outcomes = measured(objectives, np.array(job.indices, dtype=np.int64), job.share, job.pilots)
    except Exception as error:  # an evaluation is anybody's code
        if isinstance(error, GnomonError) and error.of_no_architecture:
            raise
        return Answer(failed=reason_of(error), seconds=time.monotonic() - began)
    return Answer(values, outcomes, seconds=time.monotonic() - began)


def reason_of(error: Exception) -> str:
    """Say in a line why an evaluation failed."""
    said = " ".join(str(error).split())[:MOST_SAID]
    kind = "" if isinstance(error, SearchError) and said else type(error).__name__
    return ": ".join(part for part in (kind, said) if part)
