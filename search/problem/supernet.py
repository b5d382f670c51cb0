"""What a search asks of a super-network, and the adapter of one that asks less of its author."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, cast

from ...supernets.graph import PartModel
from ...supernets.metric import Metric
from ...supernets.precision import FP32
from ...supernets.space.space import Architecture
from ..errors import MissingContext


class SearchableSupernet(Protocol):
    """A super-network whose sub-networks are judged, and shipped, at a precision."""

    @property
    def metric(self) -> Metric:
        """Return what sub-networks are judged by."""

    @property
    def precisions(self) -> tuple[str, ...]:
        """Return the precisions that sub-networks can be had in."""

    @property
    def checkpoint_sha256(self) -> str | None:
        """Return the sha256 of the file that the weights came from; None where there is no such file."""

    def evaluate(self, architecture: Architecture, split: str, share: float = 1.0, *, precision: str = FP32) -> float:
        """Return the metric of a sub-network, run in a precision, on a share of a split's examples."""

    def models(
        self, architecture: Architecture, *, batch: int = 1, precision: str = FP32
    ) -> tuple[PartModel, ...] | None:
        """Return a sub-network's parts as ONNX models at a precision; None where it cannot be exported."""


class EvaluatesInFp32(Protocol):
    """The least that a super-network of a user's own has; `models` and `checkpoint_sha256` are used if it has them."""

    @property
    def metric(self) -> Metric:
        """Return what sub-networks are judged by."""

    def evaluate(self, architecture: Architecture, split: str, share: float = 1.0) -> float:
        """Return the metric of a sub-network on a share of a split's examples."""


@dataclass(frozen=True)
class InFp32:
    """A super-network that knows no precisions, as one that has its sub-networks in fp32 and no other."""

    inner: EvaluatesInFp32
    precisions: tuple[str, ...] = (FP32,)

    @property
    def metric(self) -> Metric:
        """Return what sub-networks are judged by."""
        return self.inner.metric

    @property
    def checkpoint_sha256(self) -> str | None:
        """Return the sha256 of its weights' file, where it says that."""
        return getattr(self.inner, "checkpoint_sha256", None)

    def evaluate(self, architecture: Architecture, split: str, share: float = 1.0, *, precision: str = FP32) -> float:
        """Return the metric of a sub-network on a share of a split's examples; raises MissingContext but for fp32."""
        require_precision(self, precision)
        return self.inner.evaluate(architecture, split, share)

    def models(
        self, architecture: Architecture, *, batch: int = 1, precision: str = FP32
    ) -> tuple[PartModel, ...] | None:
        """Return a sub-network's parts as ONNX models, None where it has no `models`; raises MissingContext."""
        require_precision(self, precision)
        models: Any = getattr(self.inner, "models", None)
        return None if models is None else models(architecture, batch=batch)


def searchable(supernet: SearchableSupernet | EvaluatesInFp32 | None) -> SearchableSupernet | None:
    """Return a super-network as a search knows it: as it is where it says its precisions, else adapted."""
    if supernet is None or hasattr(supernet, "precisions"):
        return cast(SearchableSupernet | None, supernet)
    return InFp32(supernet)


def require_precision(supernet: SearchableSupernet, precision: str) -> None:
    """Raise MissingContext where a super-network's sub-networks cannot be had in a precision."""
    if precision not in supernet.precisions:
        raise MissingContext(
            f"the super-network's networks are known in {', '.join(supernet.precisions)}, not in {precision}; "
            "search with a profile of one of those"
        )
