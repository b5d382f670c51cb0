"""Checks on exported models: answers, metric and latency, each from running the very bytes that are shipped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from ..lut import HardwareProfile, is_this_device, measure_model
from ..profilers.apart import ModelsApart
from ..profilers.backend import Executable, RunConfig
from ..profilers.errors import BackendUnavailable, FallbackRefused, RuntimeConflict, UnsupportedConfig
from ..profilers.plan import Model
from ..profilers.registry import backend_names, device_of, load_backend
from ..supernets.graph import PartModel
from ..supernets.metric import Answers
from ..supernets.space import Architecture
from ..supernets.supernet import Supernet
from .errors import ExportRefused

PARITY_TOLERANCE = 1e-4  # of the largest logit, or absolute below one
REFERENCE_BACKEND = "onnxruntime"


@dataclass(frozen=True, slots=True)
class Parity:
    """How far a runtime's outputs for the exported file are from torch's."""

    backend: str
    version: str
    max_difference: float


@dataclass(frozen=True, slots=True)
class ExportedLatency:
    """Predicted latency with its 90 % interval, and the measured one; or why it was not measured.

    `anchor_ratio` says how much slower the machine is now than when it was profiled; `expected_us` is the prediction
    times that ratio.
    """

    predicted_us: float
    low_us: float
    high_us: float
    verified: str
    measured_us: float | None = None
    relative_iqr: float | None = None
    anchor_ratio: float | None = None
    expected_us: float | None = None
    not_measured: str | None = None

    @property
    def error_percent(self) -> float | None:
        """The prediction's error, once the machine's own change of speed is taken out."""
        if self.measured_us is None or self.expected_us is None:
            return None
        return 100 * (self.expected_us - self.measured_us) / self.measured_us


@dataclass(frozen=True, slots=True)
class LoadedPart:
    """A part in a runtime, as super-networks call it."""

    executable: Executable

    @property
    def input_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return the shape of each input, batch included."""
        return self.executable.input_shapes

    def __call__(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run it once."""
        return dict(self.executable.run(inputs))


@dataclass(frozen=True, slots=True)
class PartApart:
    """A part in a runtime in a process of its own, as super-networks call it."""

    models: ModelsApart
    position: int

    @property
    def input_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return the shape of each input, batch included."""
        return self.models.input_shapes[self.position]

    def __call__(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run it once."""
        return self.models.run(self.position, inputs)


def check_parity(
    parts: Sequence[PartModel],
    supernet: Supernet,
    expected: Answers,
    examples: int,
    *,
    on_step: Callable[[str], None] = lambda step: None,
) -> tuple[Parity, ...]:
    """Compare what every installed runtime answers to the first test examples with `expected`.

    Each runs in a process of its own, because some exclude each other in one. A runtime that cannot run all of the
    parts where it says is not compared, and `on_step` is told. Raises ExportRefused for a difference, WorkerCrashed
    for a runtime that dies.
    """
    parities = []
    for name in backend_names():
        try:
            with suppress(RuntimeConflict):  # a process of its own has none
                load_backend(name)
            with ModelsApart([part.model for part in parts], backend=name, config=RunConfig(device_of(name))) as models:
                runners = [PartApart(models, position) for position in range(len(parts))]
                answers = supernet.answers_from(runners, "test", examples)
        except BackendUnavailable:
            continue
        except (FallbackRefused, UnsupportedConfig) as error:
            on_step(f"not compared with torch: {error}")
            continue
        difference = answers.difference(expected)
        limit = PARITY_TOLERANCE * max(1.0, expected.largest)
        if difference > limit:
            raise ExportRefused(
                f"{name} {models.version} differs from torch by {difference:.2e} on what would be exported "
                f"(at most {limit:.2e} is accepted); nothing was written"
            )
        parities.append(Parity(name, models.version, difference))
    return tuple(parities)


def check_metric(parts: Sequence[PartModel], supernet: Supernet, torch_value: float) -> float:
    """Return the exported models' metric on the test split; raises ExportRefused when it is not torch's."""
    metric = supernet.metric
    found = supernet.score(answers_of(REFERENCE_BACKEND, parts, supernet, None), "test")
    if abs(found - torch_value) > metric.tolerance:
        raise ExportRefused(
            f"what would be exported has {metric.name} {found:.2f} {metric.unit} on the test split, "
            f"torch {torch_value:.2f}; nothing was written"
        )
    return found


def answers_of(backend: str, parts: Sequence[PartModel], supernet: Supernet, examples: int | None) -> Answers:
    """Run the parts on the first test examples (None: all), one at a time."""
    loaded = load_backend(backend)
    with ExitStack() as stack:
        runners = [LoadedPart(stack.enter_context(loaded.load(part.model, RunConfig()))) for part in parts]
        return supernet.answers_from(runners, "test", examples)


def check_latency(profile: HardwareProfile, architecture: Architecture, model: Model) -> ExportedLatency:
    """Predict the latency of one input and, on the profile's device, measure it."""
    estimate = profile.latency.predict([architecture.indices])
    value, low, high = (float(a[0]) for a in (estimate.value_us, estimate.low_us, estimate.high_us))
    predicted = (value, low, high, profile.latency.report.sentence())
    if not is_this_device(profile):
        return ExportedLatency(*predicted, not_measured=f"the profile is of another device, {profile.header.device}")
    try:
        remeasured = measure_model(profile, model)
    except BackendUnavailable as error:
        return ExportedLatency(*predicted, not_measured=str(error))
    return ExportedLatency(
        *predicted,
        measured_us=remeasured.measurement.value_us,
        relative_iqr=remeasured.measurement.relative_iqr,
        anchor_ratio=remeasured.anchor_ratio,
        expected_us=value * remeasured.anchor_ratio,
    )
