"""Evaluate in this process, one job after another: the default."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import InvalidConfig
from ..executor import Answer, Job, Key, Workers, evaluated
from ..problem.objective import Objective


@dataclass
class Local:
    """One worker, which is this process: it evaluates when it is waited for."""

    objectives: Sequence[Objective]
    given: tuple[Key, Job] | None = None

    @property
    def free(self) -> int:
        """One, unless a job is given."""
        return int(self.given is None)

    def submit(self, key: Key, job: Job) -> None:
        """Keep the job until it is waited for."""
        self.given = key, job

    def answer(self) -> tuple[Key, Answer] | None:
        """Evaluate the job; None where none is given."""
        if self.given is None:
            return None
        (key, job), self.given = self.given, None
        return key, evaluated(self.objectives, job)

    def close(self) -> None:
        """Do nothing: there is nothing to end."""


def require_usable(workers: Workers) -> None:
    """Raise InvalidConfig for more than one worker, an address, or resources."""
    plain = Workers("local", workers=workers.workers)
    if workers != plain or workers.workers not in (None, 1):
        raise InvalidConfig(
            f"executor {workers.executor!r} with {workers.workers or 1} worker(s) of {workers.worker_cpus:g} CPU and "
            f"{workers.worker_gpus:g} GPU: this process is one worker with what it has; write `executor=ray` for more",
            field="executor",
        )


def build(objectives: Sequence[Objective], workers: Workers) -> Local:
    """Build the executor; raises as `require_usable`."""
    require_usable(workers)
    return Local(objectives)
