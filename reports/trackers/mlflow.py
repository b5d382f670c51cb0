"""Shows a search in MLflow: in the store that MLFLOW_TRACKING_URI names, by MLflow's own default a local one.

Experiments are called by MLFLOW_EXPERIMENT_NAME, or gnomon. MLflow's telemetry stays off unless the user turned it on.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..tracker import Setting

if TYPE_CHECKING:
    from mlflow import MlflowClient

MODULE = "mlflow"
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read when mlflow is imported, which is after this module


class MlflowRun:
    """A run in MLflow."""

    def __init__(self, client: MlflowClient, run_id: str) -> None:
        self.id, self._client = run_id, client

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Log values as metrics."""
        from mlflow.entities import Metric

        now_ms = round(1000 * time.time())
        metrics = [Metric(mlflow_name(name), value, now_ms, step) for name, value in values.items()]
        self._client.log_batch(self.id, metrics=metrics)

    def close(self, front: str, *, is_over: bool) -> None:
        """Keep the front as the artifact front.txt, and say how the run ended."""
        self._client.log_text(self.id, front + "\n", "front.txt")
        self._client.set_terminated(self.id, "FINISHED" if is_over else "KILLED")


def open_tracker(run: Path, settings: Mapping[str, Setting], known: str | None) -> MlflowRun:
    """Go on with a run that is known, or create one; raises what MLflow raises."""
    from mlflow import MlflowClient
    from mlflow.entities import Param

    client = MlflowClient()
    if known is not None:
        client.update_run(known, "RUNNING")
        return MlflowRun(client, known)
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME", "gnomon")
    experiment = client.get_experiment_by_name(name)
    experiment_id = client.create_experiment(name) if experiment is None else experiment.experiment_id
    opened = MlflowRun(client, client.create_run(experiment_id, run_name=run.resolve().name).info.run_id)
    client.log_batch(opened.id, params=[Param(name, str(value)) for name, value in settings.items()])
    return opened


def mlflow_name(name: str) -> str:
    """Return the name of a quantity as MLflow takes it: latency@pi is latency-pi."""
    return re.sub(r"[^\w. /-]", "-", name, flags=re.ASCII)
