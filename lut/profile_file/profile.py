"""A hardware profile in memory: the header, the table, the whole networks, and the model fitted to them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from statistics import median

import numpy as np

from ...profilers.errors import BackendBroken, BackendUnavailable, UnknownBackend
from ...profilers.machine.hardware import fingerprint
from ...profilers.results.conditions import sentence_of
from ...profilers.results.drift import undisturbed_anchors
from ...profilers.results.processes import ProcessSpread
from ...profilers.run_config import RunConfig
from ...profilers.runtimes.registry import load_backend
from ...profilers.timing.measurement import Measurement, undisturbed
from ...supernets import SearchSpace, SupernetError, load_space
from ..errors import LutError, ProfileMismatch
from ..latency_model.estimate import PREDICTED
from ..latency_model.fit_report import FitReport
from ..latency_model.model import LatencyModel
from ..latency_model.table import LatencyTable, PredictedLayer
from ..latency_model.verification import session_log_ratio
from .description import html_from_facts, text_from_facts
from .quantisation import weight_bits_for
from .quota import others_than_quota, quota_during
from .schema import AnchorRecord, NetworkRecord, ProfileContention, ProfileHeader, ProfileRefresh

ENOUGH_ANCHORS = 8  # visits, of which each quarter of a run has two


@dataclass(frozen=True, repr=False)
class HardwareProfile:
    """What a profile file holds. `name` is the file's stem, `digest` the sha256 of its content.

    Measurements, of layers and networks alike, have the machine's drift removed (`timeline.py`); records are raw. Those
    of a refreshed profile are rescaled, and so are its anchors. `processes` says how far its processes differ; None
    with one, or without a probe. `clean_level_us` is what the probe mostly read while the core was the run's own; None
    without a probe.
    """

    name: str
    digest: str
    header: ProfileHeader
    table: LatencyTable
    networks: tuple[NetworkRecord, ...]
    network_measurements: tuple[Measurement, ...]
    anchors: tuple[AnchorRecord, ...]
    fit: FitReport
    processes: ProcessSpread | None = None
    clean_level_us: float | None = None

    @property
    def run_config(self) -> RunConfig:
        """The conditions that models were timed under."""
        return RunConfig(**self.header.config.model_dump())

    @property
    def weight_bits(self) -> int:
        """The bits of int8 weights for the profile's device: as its models had them, else as its processor takes."""
        header = self.header
        return header.weight_bits or weight_bits_for(header.config.device, header.hardware)

    @cached_property
    def space(self) -> SearchSpace:
        """The profile's search space; raises ProfileMismatch when the installed space differs from the measured one."""
        return self.space_named(self.header.space)

    def require_for(self, name: str) -> SearchSpace:
        """Return the space `name` after checking that a latency of each of its networks can be had.

        A model that is built on measured layers needs all of them. Raises ProfileMismatch for another space, and
        LatencyMissing.
        """
        space = self.space_named(name)
        if self.latency.takes_layers:
            self.table.require(space.unique_layers())
        return space

    def space_named(self, name: str) -> SearchSpace:
        """Return the space `name` after checking that this profile is of it; raises ProfileMismatch."""
        space = load_space(name)
        if space.name != self.header.space:
            raise ProfileMismatch(
                f"profile {self.name} is of space {self.header.space!r}, not {space.name!r}; "
                f"measure one: gnomon profile --space {space.name} --backend {self.header.backend}",
                fields=("space",),
            )
        if space.digest != self.header.space_digest:
            raise ProfileMismatch(
                f"profile {self.name} was measured on {space.name} with digest {self.header.space_digest}; the space "
                f"installed here has {space.digest}, so its layers changed. Profile it again",
                fields=("space_digest",),
            )
        return space

    @cached_property
    def latency(self) -> LatencyModel:
        """The latency model of the profile's space, fitted to its whole networks; without any it is unverified."""
        if not self.networks:
            return LatencyModel.unverified(self.space, self.table)
        rows = [network.indices for network in self.networks]
        between = session_log_ratio(self.processes)
        model = LatencyModel.fit(self.space, self.table, rows, self.network_measurements, between_sessions=between)
        refreshed = self.header.refreshed
        return model if refreshed is None else model.widened(refreshed.log_ratio)

    @property
    def drift_percent(self) -> float | None:
        """How far the anchor's undisturbed time moved between the quarters of the run; None with fewer than eight."""
        clean = [anchor for anchor in self.anchors if anchor.clean]
        anchors = clean if len(clean) >= ENOUGH_ANCHORS else undisturbed_anchors(self.anchors)
        values = [anchor.value_us for anchor in anchors]
        if self.processes is not None:  # each places the anchor anew, and how far they differ is told by `processes`
            sessions = {anchor.session for anchor in anchors}
            own = {name: median(one.value_us for one in anchors if one.session == name) for name in sessions}
            values = [anchor.value_us / own[anchor.session] for anchor in anchors]
        if len(values) < ENOUGH_ANCHORS:
            return None
        quarters = [undisturbed([float(us) for us in part]) for part in np.array_split(values, 4)]
        return 100 * (max(quarters) - min(quarters)) / min(quarters)

    @property
    def disturbed_percent(self) -> float:
        """The share of the anchor's visits that took more than a tenth longer than undisturbed, in percent."""
        values = np.array([anchor.value_us for anchor in self.anchors])
        return float(100 * np.mean(values > 1.1 * undisturbed(values.tolist()))) if len(values) else 0.0

    @property
    def never_clean_layers(self) -> int:
        """How many layers were not seen undisturbed often enough: their latencies are corrected; 0 without a probe."""
        measured = self.table.measurements.values() if self.header.contention else ()
        return sum(not found.is_undisturbed for found in measured)

    @cached_property
    def doubts(self) -> tuple[tuple[str, str], ...]:
        """What speaks against the profile: (severity "poor" or "fair", what was found)."""
        report, failures = self.latency.report, self.table.failures
        noise, drift, mape = report.noise_floor_percent, self.drift_percent, report.mape_percent or 0.0
        contention = self.header.contention
        quota = self._quota_doubt()
        never_clean, layers = self.never_clean_layers, max(len(self.table.measurements), 1)
        found = [
            (report.mape_percent is None, "poor", "no whole network verified the table"),
            (failures, "poor", f"{len(failures)} models could not be timed"),
            (quota, "poor", quota),
            (mape > 10, "poor", f"the table misses whole networks by {mape:.1f} %"),
            (
                not self.latency.is_composed and not self.table.is_empty,
                "fair",
                "layers do not add up here, so a regression on whole networks predicts, alone or beside their sum",
            ),
            (5 < mape <= 10, "fair", f"the table misses whole networks by {mape:.1f} %"),
            (noise is None, "fair", "networks were visited once, so the repeat noise is unknown"),
            (noise is not None and noise > 3, "fair", f"repeats of one network differ by {noise or 0:.1f} %"),
            (drift is not None and drift > 5, "fair", f"the machine's speed drifted by {drift or 0:.1f} %"),
            (never_clean > layers / 10, "fair", f"{never_clean} of {layers} layers were never seen undisturbed"),
            (
                contention is None and self.disturbed_percent > 50,
                "fair",
                f"other work slowed {self.disturbed_percent:.0f} % of the visits",
            ),
        ]
        return tuple((severity, text) for applies, severity, text in found if applies)

    def _quota_doubt(self) -> str:
        """Say why a CPU quota is in the latencies; nothing where it is not."""
        stopped = quota_during(self.header.hardware.get("conditions"))
        slowest_us = max((found.value_us for found in self.network_measurements), default=0.0)
        return "" if stopped is None else stopped.doubt(slowest_us)

    @property
    def quality(self) -> str:
        """The verdict: good, fair or poor."""
        severities = [severity for severity, _ in self.doubts]
        return "poor" if "poor" in severities else "fair" if severities else "good"

    @property
    def quality_reason(self) -> str:
        """Why, in a sentence; the worst doubt first."""
        if not self.doubts:
            contention = self.header.contention
            if contention is not None:
                return f"small error, noise and drift (the core was shared {contention.time_share:.0%} of the time)"
            return f"small error, noise and drift ({self.disturbed_percent:.0f} % of the visits were disturbed)"
        worst = next(text for severity, text in self.doubts if severity == self.quality)
        return f"{worst}; run gnomon doctor, quieten the machine, profile again"

    def line(self) -> str:
        """Return the profile in one line, without fitting anything."""
        header, config = self.header, self.header.config
        return (
            f"HardwareProfile({self.name}: {header.space} on {header.device}, {header.backend} {config.precision}, "
            f"batch {config.batch}, {config.threads} threads; {len(self.table.measurements)} layers, "
            f"{len(self.networks)} whole networks)"
        )

    def facts(self) -> list[tuple[str, str]]:
        """Return what the profile is, how good it is, and what it cost, each with its label; raises ProfileMismatch."""
        header, report = self.header, self.latency.report
        config = f"{header.config.precision}, batch {header.config.batch}, {header.config.threads} threads"
        processes = "1 process" if header.sessions == 1 else f"{header.sessions} processes"
        facts = [
            ("profile", f"{self.name}  (sha256 {self.digest[:12]})"),
            ("space", f"{header.space}: {len(self.table.measurements)} layers, {len(self.networks)} whole networks"),
            ("runtime", f"{header.backend} {header.runtime_version}, {config}"),
            ("device", f"{header.device}, {header.created}, {header.seconds:.0f} s in {processes}"),
        ]
        conditions = header.hardware.get("conditions")
        if isinstance(conditions, dict) and (clocks := others_than_quota(conditions)):
            facts.append(("clocks", sentence_of(clocks)))
        if (stopped := quota_during(conditions)) is not None:
            facts.append(("quota", stopped.sentence))
        if header.source.kind != "measured":
            facts.append(("source", f"its layers were {header.source.kind} from {header.source.name}"))
        if header.refreshed is not None:
            facts.append(("refresh", sentence_of_refresh(header.refreshed)))
        if header.contention is not None:
            facts.append(
                (
                    "core",
                    sentence_of_contention(header.contention, self.never_clean_layers, len(self.table.measurements)),
                )
            )
        if self.processes is not None:
            facts.append(("process", self.processes.sentence))
        ratio = report.interval_ratio
        interval = "no interval" if ratio is None else f"90 % interval: value / {ratio:.3f} to x {ratio:.3f}"
        facts.append(("model", f"{report.model}; {interval}"))
        facts.append(("error", report.sentence()))
        facts.append(("quality", f"{self.quality}: {self.quality_reason}"))
        return facts

    def __repr__(self) -> str:
        return self.line()

    def __str__(self) -> str:
        try:
            return text_from_facts(self.facts())
        except (LutError, SupernetError):  # its space is not installed here, or has changed
            return self.line()

    def _repr_html_(self) -> str | None:
        try:
            return html_from_facts(self.facts())
        except (LutError, SupernetError):
            return None

    def differences(self, *, versions: Mapping[str, str], hardware: Mapping[str, object]) -> tuple[str, ...]:
        """Say, field by field, how an environment differs from the one this profile was measured in."""
        ours: dict[str, object] = {f"versions.{name}": value for name, value in self.header.versions.items()}
        theirs: dict[str, object] = {f"versions.{name}": value for name, value in versions.items()}
        for name in ("cpu_model", "cpus", "architecture"):
            ours[f"hardware.{name}"], theirs[f"hardware.{name}"] = self.header.hardware.get(name), hardware.get(name)
        return tuple(
            f"{name}: profile {ours[name]}, here {theirs[name]}"
            for name in ours
            if name in theirs and ours[name] != theirs[name]
        )


def sentence_of_refresh(refreshed: ProfileRefresh) -> str:
    """Say from what and by how much a profile was rescaled."""
    is_first = math.isclose(refreshed.factor, refreshed.ratio)
    total = "" if is_first else f"; in all x{refreshed.factor:.3f} of the raw times"
    return (
        f"rescaled by x{refreshed.ratio:.3f} (90 %: {refreshed.low:.3f} to {refreshed.high:.3f}) from {refreshed.name} "
        f"(sha256 {refreshed.sha256[:12]}), {refreshed.created}, by {refreshed.models} models in "
        f"{refreshed.processes} processes{total}"
    )


def sentence_of_contention(contention: ProfileContention, never_clean: int, layers: int) -> str:
    """Say how busy the core was while a profile was measured, and how many of its layers were never ours."""
    some = f"{never_clean} of {layers} layers were never seen undisturbed"
    seen = "" if not layers else f"; {some}" if never_clean else "; every layer was seen undisturbed"
    if not contention.time_share:
        return f"never shared{seen}"
    return (
        f"shared {contention.time_share:.0%} of the time, x{contention.slow_down:.2f}, in spells of "
        f"{contention.spell_ms:.0f} ms{seen}"
    )


def predicted_from(priors: Mapping[str, float]) -> dict[str, PredictedLayer]:
    """Return the layers of another profile as predictions, whose error here only whole networks can show."""
    return {key: PredictedLayer(us, 0.0, PREDICTED) for key, us in priors.items()}


def check_profile(
    profile: HardwareProfile, *, space: str | None = None, precision: str | None = None
) -> tuple[str, ...]:
    """Check a profile against what is asked of it, and return how its environment differs from this one.

    Raises ProfileMismatch when it is of another space, layer set or precision, LatencyMissing when layers are absent
    that its model is built on.
    """
    check_request(profile, space=space, precision=precision)
    profile.require_for(profile.header.space)
    return environment_differences(profile)


def check_request(profile: HardwareProfile, *, space: str | None = None, precision: str | None = None) -> None:
    """Raise ProfileMismatch when the profile is of another space, layer set or precision than asked."""
    profile.space_named(space or profile.header.space)
    if precision is not None and precision != profile.header.config.precision:
        raise ProfileMismatch(
            f"profile {profile.name} is of precision {profile.header.config.precision}, not {precision}; "
            f"measure one: gnomon profile --space {profile.header.space} --precision {precision}",
            fields=("config.precision",),
        )


def environment_differences(profile: HardwareProfile) -> tuple[str, ...]:
    """Say how the runtime and the hardware here differ from the profile's."""
    try:
        versions = load_backend(profile.header.backend).versions()
    except (BackendUnavailable, UnknownBackend):
        return (f"{profile.header.backend} is not installed here",)
    except BackendBroken as error:
        return (str(error),)
    return profile.differences(versions=versions, hardware=fingerprint().to_json())
