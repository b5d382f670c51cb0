"""A super-network whose validations are kept in a file: an interrupted benchmark goes on, and none is made twice."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path

from gnomon.supernets.evaluation.supernet import Supernet
from gnomon.supernets.metric import Metric
from gnomon.supernets.precision import FP32
from gnomon.supernets.space.space import Architecture


@dataclass
class Remembered:
    """Validations by checkpoint, precision, split, genes and share; `seconds` of the full ones that were run here."""

    inner: Supernet
    path: Path
    known: dict[str, float] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.path.exists():
            lines = self.path.read_text(encoding="utf-8").splitlines()
            self.known = {record["key"]: record["value"] for record in map(json.loads, lines)}

    @property
    def metric(self) -> Metric:
        """The super-network's."""
        return self.inner.metric

    @property
    def precisions(self) -> tuple[str, ...]:
        """The super-network's."""
        return self.inner.precisions

    def evaluate(
        self, architecture: Architecture, split: str = "validation", share: float = 1.0, *, precision: str = FP32
    ) -> float:
        """Validate, unless it was validated before."""
        genes = "".join(map(str, architecture.indices))
        said = "" if precision == FP32 else f" {precision}"
        key = f"{self.inner.checkpoint_sha256[:12]} {architecture.space} {split} {genes} {share:g}{said}"
        if key not in self.known:
            start = time.perf_counter()
            self.known[key] = self.inner.evaluate(architecture, split, share, precision=precision)
            if share == 1.0:
                self.seconds.append(time.perf_counter() - start)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"key": key, "value": self.known[key]}) + "\n")
        return self.known[key]
