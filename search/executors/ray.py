"""Evaluate on a Ray cluster: `ray` starts one on this machine, `ray://HOST:PORT` joins one that runs.

What its workers do is in `worker_pool.py`. Ray's dashboard and usage statistics stay off.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ...supernets.packages import install_command
from ..errors import WorkersUnavailable
from ..executor import Answer, Job, Key, Workers, reason_of
from ..problem.objective import Objective
from ..worker_pool import Pool

REACH_S = 10.0  # until somebody answers at an address


@dataclass
class OwnCluster:
    """A pool on a cluster that was started or joined for it; closing the pool leaves the cluster."""

    ray: Any
    pool: Pool

    @property
    def free(self) -> int:
        """How many more jobs would begin at once."""
        return self.pool.free

    def submit(self, key: Key, job: Job) -> None:
        """Take a job."""
        self.pool.submit(key, job)

    def answer(self) -> tuple[Key, Answer] | None:
        """Wait for one of the jobs to end; None when more workers became free. Raises WorkersUnavailable."""
        return self.pool.answer()

    def close(self) -> None:
        """End the workers, and leave the cluster, which ends it if it was started here."""
        try:
            self.pool.close()
        finally:
            self.ray.shutdown()


def ray_quietly() -> Any:
    """Import Ray, which then reports to nobody; raises WorkersUnavailable where it is not installed."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ImportError as error:
        raise WorkersUnavailable(
            f"`executor=ray` needs Ray, which cannot be imported ({error}); install it: {install_command('ray')}"
        ) from error
    return ray


def require_usable(workers: Workers) -> None:
    """Raise WorkersUnavailable where Ray is not installed, or nobody listens at the address; joins nothing."""
    if not ray_quietly().is_initialized():
        with joining(workers):
            require_reachable(workers.address)


def build(objectives: Sequence[Objective], workers: Workers) -> Pool | OwnCluster:
    """Start workers on the cluster that this process is in, or joins, or starts; raises WorkersUnavailable."""
    ray = ray_quietly()
    if ray.is_initialized():
        return Pool(ray, objectives, workers)
    own = {} if workers.address else {"num_cpus": own_cpus(workers)}
    with joining(workers):
        require_reachable(workers.address)
        ray.init(
            address=workers.address or "local",
            include_dashboard=None if workers.address else False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            **own,
        )
    try:
        return OwnCluster(ray, Pool(ray, objectives, workers))
    except BaseException:
        ray.shutdown()
        raise


@contextmanager
def joining(workers: Workers) -> Iterator[None]:
    """Raise WorkersUnavailable for what is raised when a cluster is joined or started."""
    try:
        yield
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        raise WorkersUnavailable(
            f"cannot {'join the Ray cluster at ' + workers.address if workers.address else 'start Ray here'}: "
            f"{reason_of(error)}; the address is that of the head node (its `ray start` prints it), as "
            "ray://10.0.0.1:6379, and this machine has to be one of its nodes"
        ) from error


def require_reachable(address: str) -> None:
    """Raise OSError, or ValueError, for HOST:PORT where nobody listens: Ray would try for minutes."""
    if address and address != "auto":
        host, _, port = address.rpartition(":")
        socket.create_connection((host, int(port)), timeout=REACH_S).close()


def own_cpus(workers: Workers) -> int:
    """Return the CPUs of a cluster of this machine: what the workers asked for take, else those there are."""
    if workers.workers is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(int(-(-workers.workers * workers.worker_cpus // 1)), 1)
