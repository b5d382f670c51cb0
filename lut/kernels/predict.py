"""The latency of a model from a kernel profile: every kernel measured or predicted, the sum, and the interval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from ...profilers.errors import BackendError
from ...profilers.transports.local import LocalDevice
from ...profilers.transports.transport import Transport
from ..errors import LutError, ProfileMismatch
from ..latency_model.estimate import PREDICTED
from ..measuring.building import OnProgress
from ..measuring.measure import SAME_DEVICE
from .composition import Composition
from .graph.asked import AskedModel, read_asked
from .graph.cost import Cost
from .graph.cutting import KernelGraph
from .graph.originals import with_originals
from .measuring.graphs import graphs_of
from .measuring.timing import time_kernels
from .profile_file.lines import digest_of
from .profile_file.profile import KernelProfile, MeasuredKernel
from .regression import ALL, KernelRegression
from .terms import Part

MEASURED, TIMED_NOW, SCALED = "measured", "timed now", "scaled"


@dataclass(frozen=True, slots=True)
class KernelLine:
    """A kernel of the model: how often it runs, what one run takes, and where that is known from.

    log_ratio is what the log of its error keeps to (one sigma); 0 for a kernel that was timed.
    """

    key: str
    operator: str
    count: int
    value_us: float
    source: str
    log_ratio: float
    cost: Cost
    sort: str

    @property
    def total_us(self) -> float:
        """What all its runs take."""
        return self.value_us * self.count


@dataclass(frozen=True)
class ModelPrediction:
    """A model's latency with its 90 % interval (None where nothing verified the profile), kernel by kernel.

    failed: why kernels that were to be timed now could not be, by operator; they are predicted instead.
    """

    value_us: float
    low_us: float | None
    high_us: float | None
    lines: tuple[KernelLine, ...]
    graph: KernelGraph
    asked: AskedModel
    terms: str
    verified: str
    failed: Mapping[str, str] = field(default_factory=dict)

    @property
    def kernels_us(self) -> float:
        """What the kernels take alone."""
        return sum(line.total_us for line in self.lines)

    def share(self, *sources: str) -> float:
        """Return which share of the kernels' time is known from some sources."""
        return sum(line.total_us for line in self.lines if line.source in sources) / self.kernels_us

    @cached_property
    def by_key(self) -> Mapping[str, KernelLine]:
        """The kernels by key."""
        return {line.key: line for line in self.lines}

    @cached_property
    def nodes(self) -> tuple[tuple[str, str, float, tuple[str, ...]], ...]:
        """Every kernel in order of execution: operator, source, microseconds, and the file's nodes behind it.

        Times are scaled so that they add up to the prediction.
        """
        scale = self.value_us / self.kernels_us
        found = []
        for call in self.graph.calls:
            if not call.excluded:
                line = self.by_key[call.key]
                names = tuple(self.asked.original(name) for name in call.originals)
                found.append((call.operator, line.source, line.value_us * scale, names))
        return tuple(found)

    @cached_property
    def by_original(self) -> Mapping[str, float]:
        """Microseconds by node of the file; a kernel's time stands at the first node it is of, and 0 at those fused in.

        What the runtime adds for itself is under the empty name.
        """
        found: dict[str, float] = {}
        for _, _, us, names in self.nodes:
            for name, share_us in zip(names or ("",), (us, *(0.0,) * len(names))):
                found[name] = found.get(name, 0.0) + share_us
        return found


def differences_from(profile: KernelProfile, device: Transport) -> tuple[str, ...]:
    """Say, field by field, in what a device and its runtime are not those of the profile."""
    here, header = device.hardware(), profile.header
    pairs: dict[str, tuple[object, object]] = {"device": (header.device, here.slug_of(header.config.device))}
    pairs.update({name: (header.hardware.get(name), getattr(here, name)) for name in SAME_DEVICE})
    runtime = header.backend.partition(":")[0]
    try:
        version = device.require(header.backend)
    except BackendError as error:
        version = str(error)
    pairs[runtime] = (header.versions.get(runtime), version)
    return tuple(f"{name}: profile {then!r}, here {now!r}" for name, (then, now) in pairs.items() if then != now)


def graph_for(
    profile: KernelProfile,
    path: str | Path,
    shapes: Mapping[str, tuple[int, ...]],
    device: Transport | None = None,
) -> tuple[AskedModel, KernelGraph]:
    """Read a model and ask the profile's runtime on `device` (None: this machine) what it makes of it.

    Raises LutError for the file, ProfileMismatch, field by field, where that is not the profile's processor or runtime:
    the graph would be another one; and the errors of profilers, among them ModelRejected.
    """
    asked, device = read_asked(path, shapes), device or LocalDevice()
    if differences := differences_from(profile, device):
        raise ProfileMismatch(
            f"{profile.name} is of another processor or runtime ({'; '.join(differences)}), which makes other "
            f"kernels of a model. Predict on that device, or measure this one: gnomon profile --kernels",
            fields=tuple(one.partition(":")[0] for one in differences),
        )
    (graph,) = graphs_of({"asked": asked.content}, profile.header.backend, profile.run_config, device).values()
    return asked, with_originals(graph, asked.content)


def predict_model(
    profile: KernelProfile,
    asked: AskedModel,
    graph: KernelGraph,
    *,
    timed_now: Mapping[str, MeasuredKernel] | None = None,
    ignored: frozenset[str] = frozenset(),
    composition: Composition | None = None,
) -> ModelPrediction:
    """Compose a model's latency; `timed_now` are kernels by digest measured besides the profile's.

    `ignored` are digests of kernels to predict although the profile has them. Raises LutError for a model of which no
    kernel can be timed.
    """
    composition = composition or Composition(profile, KernelRegression(profile))
    lines = []
    for key, count in graph.counts.items():
        kernel, digest = graph.kernels[key], digest_of(key)
        known = profile.kernels.get(digest) if digest not in ignored else None
        now = (timed_now or {}).get(digest)
        is_scaled = known is not None and known.log_ratio > 0
        found = now if known is None or (is_scaled and now is not None) else known
        if found is not None:
            source = TIMED_NOW if found is now else SCALED if is_scaled else MEASURED
            lines.append(
                KernelLine(key, kernel.operator, count, found.value_us, source, found.log_ratio, kernel.cost, "")
            )
            continue
        guess = composition.regression.predict(kernel.operator, key, kernel.cost)
        sort = guess.sort if guess.sort != ALL else f"{kernel.operator}, of which too few were measured"
        lines.append(
            KernelLine(key, kernel.operator, count, guess.value_us, PREDICTED, guess.log_ratio, kernel.cost, sort)
        )
    if not lines:
        raise LutError(f"no kernel of the model can be timed alone: {', '.join(graph.excluded) or 'it has none'}")
    parts = [Part.of(line.value_us, line.count, line.cost) for line in lines]
    value_us = composition.terms.value_us(parts, profile.call_us)
    is_verified = composition.is_verified
    ratio = composition.log_ratio(parts, [line.log_ratio for line in lines]) if is_verified else 0.0
    return ModelPrediction(
        value_us=value_us,
        low_us=value_us * math.exp(-ratio) if is_verified else None,
        high_us=value_us * math.exp(ratio) if is_verified else None,
        lines=tuple(sorted(lines, key=lambda line: -line.total_us)),
        graph=graph,
        asked=asked,
        terms=composition.terms.sentence(),
        verified=composition.report.sentence(),
    )


def predict_file(
    profile: KernelProfile,
    path: str | Path,
    shapes: Mapping[str, tuple[int, ...]] | None = None,
    *,
    measure: bool = False,
    device: Transport | None = None,
    on_progress: OnProgress | None = None,
) -> ModelPrediction:
    """Predict the latency of the ONNX file at `path` on the profile's device, which is `device` (None: this one).

    With `measure` the kernels that the profile lacks are timed there now, in up to 15 seconds. Raises what `graph_for`
    and `predict_model` raise.
    """
    composition = Composition(profile, KernelRegression(profile))
    with ThreadPoolExecutor(1) as pool:
        fitting = pool.submit(composition.fit)  # while the runtime compiles, in a process of its own
        asked, graph = graph_for(profile, path, shapes or {}, device)
        fitting.result()
    timed_now, failed = time_kernels(profile, graph, device=device, on_progress=on_progress) if measure else ({}, {})
    return replace(predict_model(profile, asked, graph, timed_now=timed_now, composition=composition), failed=failed)
