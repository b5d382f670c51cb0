"""Workers on a Ray cluster, and what becomes of a job when one of them is lost, fails or is slow.

Objectives are put into Ray's object store once; every node fetches them once and every worker opens them once. A worker
that is lost, with its node or without, is replaced, and its job is given to another; a job that raises is tried once
more, elsewhere if it can be. What takes several times as long as others did is given to an idle worker too, and the
first answer counts.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from ..errors import GnomonError
from ..supernets.evaluation.deciding import Outcomes
from ..version import VERSION
from .errors import InvalidConfig, WorkersUnavailable
from .executor import MOST_SAID, Answer, Job, Key, Workers, evaluated, reason_of
from .problem.objective import Objective

LOSSES = 3  # workers that a job may lose before it has failed
TRIES = 2  # times that an evaluation may raise before it has failed
PATIENCE_S = 300.0  # without any worker that runs
POLL_S = 1.0
STRAGGLING, RECENT = 3.0, 50  # times the median of so many durations: then another worker tries too


class Worker:
    """What runs on the cluster: objectives that were opened once, and nothing that a job leaves behind."""

    def __init__(self, objectives: tuple[Objective, ...]) -> None:
        self.objectives = objectives

    def ready(self) -> str:
        """Return the version of Gnomon here."""
        return VERSION

    def evaluate(
        self, indices: tuple[int, ...], share: float, pilots: tuple[Outcomes, ...] | None
    ) -> tuple[Answer, str | None]:
        """Return the answer to a job, or why no architecture can be evaluated here."""
        try:
            return evaluated(self.objectives, Job(indices, share, pilots)), None
        except GnomonError as error:  # of no architecture: others are answers
            return Answer(), reason_of(error)


@dataclass
class Task:
    """A job that has not ended: which workers were lost and raised with it, and which are at it, since when."""

    job: Job
    losses: int = 0
    raised: list[Any] = field(default_factory=list)
    at_it: dict[Any, float] = field(default_factory=dict)


class Pool:
    """Workers of a cluster: those starting, those idle, those at a job."""

    def __init__(self, ray: Any, objectives: Sequence[Objective], workers: Workers) -> None:
        """Start workers and wait for the first; raises InvalidConfig for what cannot be sent, WorkersUnavailable."""
        self._ray = ray
        try:
            self._objectives = ray.put(tuple(objectives))
        except TypeError as error:
            cause = error.__cause__ if isinstance(error.__cause__, Exception) else error  # Ray adds pages of advice
            raise InvalidConfig(
                f"the super-network cannot be sent to workers: {reason_of(cause)}; make it of what can be pickled, or "
                "search with `executor=local`",
                field="executor",
            ) from error
        self._wanted = f"{workers.worker_cpus:g} CPU and {workers.worker_gpus:g} GPU each"
        self._actor = ray.remote(Worker).options(
            num_cpus=workers.worker_cpus, num_gpus=workers.worker_gpus, max_restarts=0
        )
        self._starting: dict[Any, Any] = {}
        self._idle: list[Any] = []
        self._running: dict[Any, tuple[Any, Key]] = {}
        self._tasks: dict[Key, Task] = {}
        self._queue: deque[Key] = deque()
        self._pilots: tuple[tuple[Outcomes, ...] | None, Any] = (None, None)
        self._rates_s: deque[float] = deque(maxlen=RECENT)  # seconds for all the data
        self._ran_s, self._never_ran = time.monotonic(), 0
        self._count = workers.workers or self._fitting(workers)
        for _ in range(self._count):
            self._start()
        while not self._idle:
            self._wait()

    @property
    def free(self) -> int:
        """How many workers are idle, less the jobs that wait; one where nothing at all is given."""
        return max(len(self._idle) - len(self._queue), 0 if self._tasks else 1)

    def submit(self, key: Key, job: Job) -> None:
        """Take a job."""
        self._tasks[key] = Task(job)
        self._queue.append(key)

    def answer(self) -> tuple[Key, Answer] | None:
        """Wait for one of the jobs to end; None when more workers became free. Raises WorkersUnavailable."""
        while True:
            self._assign()
            if not self._queue:
                self._overtake()
            free = self.free
            answered = self._wait()
            if answered is not None or self.free > free:
                return answered

    def close(self) -> None:
        """Kill the workers."""
        for actor in (*self._starting.values(), *self._idle, *(actor for actor, _ in self._running.values())):
            self._ray.kill(actor)

    def _fitting(self, workers: Workers) -> int:
        """Return how many workers the cluster has room for, at least one."""
        has = self._ray.cluster_resources()
        rooms = [
            has.get(kind, 0.0) // each
            for kind, each in (("CPU", workers.worker_cpus), ("GPU", workers.worker_gpus))
            if each
        ]
        return max(int(min(rooms, default=1)), 1)

    def _start(self) -> None:
        actor = self._actor.remote(self._objectives)
        self._starting[actor.ready.remote()] = actor

    def _assign(self) -> None:
        """Give waiting jobs to idle workers, to one that has not raised with it where there is one."""
        while self._queue and self._idle:
            key = self._queue.popleft()
            raised = self._tasks[key].raised
            self._run(key, next((actor for actor in self._idle if actor not in raised), self._idle[0]))

    def _overtake(self) -> None:
        """Give a job that takes much longer than others did to an idle worker too."""
        for key, task in self._tasks.items():
            if self._idle and len(task.at_it) == 1 and self._is_late(task, *task.at_it.values()):
                self._run(key, self._idle[0])

    def _run(self, key: Key, actor: Any) -> None:
        task = self._tasks[key]
        if task.job.pilots is not self._pilots[0]:
            self._pilots = task.job.pilots, self._ray.put(task.job.pilots)
        self._idle.remove(actor)
        task.at_it[actor] = time.monotonic()
        self._running[actor.evaluate.remote(task.job.indices, task.job.share, self._pilots[1])] = actor, key

    def _wait(self) -> tuple[Key, Answer] | None:
        """Wait a moment for a worker to start, to answer or to be lost; return an answer that counts."""
        ended, _ = self._ray.wait([*self._running, *self._starting], num_returns=1, timeout=POLL_S)
        if self._idle or self._running:
            self._ran_s = time.monotonic()
        elif time.monotonic() - self._ran_s > PATIENCE_S:
            raise WorkersUnavailable(
                f"no worker of {self._wanted} has started in {PATIENCE_S:g} s; the cluster has "
                f"{described(self._ray.cluster_resources())}, of which {described(self._ray.available_resources())} "
                "is free. Ask for less with `worker_cpus` and `worker_gpus`, or add nodes"
            )
        if not ended:
            return None
        if ended[0] in self._starting:
            self._started(ended[0])
            return None
        return self._ended(ended[0])

    def _started(self, ready: Any) -> None:
        actor = self._starting.pop(ready)
        try:
            version = self._ray.get(ready)
        except self._ray.exceptions.RayError as error:
            self._never_ran += 1
            if self._never_ran < LOSSES * self._count:
                self._start()
            elif not (self._starting or self._idle or self._running):
                raise WorkersUnavailable(f"workers die when they start, the last one: {loss_of(error)}") from error
            return
        if version != VERSION:
            raise WorkersUnavailable(
                f"a worker has Gnomon {version} and this process has {VERSION}; install the same on every node"
            )
        self._never_ran = 0
        self._idle.append(actor)

    def _ended(self, result: Any) -> tuple[Key, Answer] | None:
        """Take what a worker answered, or that it was lost; return an answer that counts."""
        actor, key = self._running.pop(result)
        task = self._tasks.get(key, Task(Job((), 1.0), at_it={actor: 0.0}))
        since_s = task.at_it.pop(actor)
        try:
            answer, unfit = self._ray.get(result)
        except self._ray.exceptions.RayError as error:
            self._replace(actor)
            if key not in self._tasks:  # another worker told it
                return None
            task.losses += 1
            if task.losses >= LOSSES:
                return self._told(key, Answer(failed=f"lost {LOSSES} workers, the last one: {loss_of(error)}"))
            self._again(key)
            return None
        self._idle.append(actor)
        if key not in self._tasks:
            return None
        if unfit is not None:
            raise WorkersUnavailable(f"a worker cannot evaluate any architecture: {unfit}")
        if answer.failed is not None:
            task.raised.append(actor)
            if len(task.raised) < TRIES:
                self._again(key)
                return None
            return self._told(key, answer)
        self._rates_s.append((time.monotonic() - since_s) / task.job.share)
        return self._told(key, answer)

    def _again(self, key: Key) -> None:
        """Put a job first, unless another worker is at it."""
        if not self._tasks[key].at_it:
            self._queue.appendleft(key)

    def _told(self, key: Key, answer: Answer) -> tuple[Key, Answer]:
        """Return an answer that counts; a worker that is too long at the same job is replaced, as it may never end."""
        task = self._tasks.pop(key)
        for result, (actor, other) in list(self._running.items()):
            if other == key and self._is_late(task, task.at_it[actor]):
                del self._running[result]
                self._replace(actor)
        return key, answer

    def _is_late(self, task: Task, since_s: float) -> bool:
        """Tell whether a worker is much longer at a job than others were at theirs."""
        expected_s = median(self._rates_s) * task.job.share if self._rates_s else math.inf
        return time.monotonic() - since_s > max(STRAGGLING * expected_s, POLL_S)

    def _replace(self, actor: Any) -> None:
        self._ray.kill(actor)
        self._start()


def loss_of(error: Exception) -> str:
    """Say in a line how a worker was lost."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:MOST_SAID]


def described(resources: dict[str, float]) -> str:
    """Say how many CPUs and GPUs there are."""
    return f"{resources.get('CPU', 0):g} CPU and {resources.get('GPU', 0):g} GPU"
