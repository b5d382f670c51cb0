"""A hardware profile in memory: the header, the table, the whole networks, and the model fitted to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ...profilers.results.conditions import sentence_of
from ...profilers.results.processes import ProcessSpread
from ...profilers.run_config import RunConfig
from ...profilers.timing.measurement import Measurement
from ...supernets import SearchSpace, SupernetError, load_space
from ..errors import LutError, ProfileMismatch
from ..latency_model.fit_report import FitReport
from ..latency_model.model import LatencyModel
from ..latency_model.table import LatencyTable
from ..latency_model.verification import session_log_ratio
from .description import html_from_facts, sentence_of_contention, sentence_of_refresh, text_from_facts
from .quality import Doubt, disturbed_percent, doubts_of, drift_percent, verdict_of
from .quantisation import weight_bits_for
from .quota import others_than_quota, quota_during
from .schema import AnchorRecord, NetworkRecord, ProfileHeader


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
        return drift_percent(self.anchors, apart=self.processes is not None)

    @property
    def disturbed_percent(self) -> float:
        """The share of the anchor's visits that took more than a tenth longer than undisturbed, in percent."""
        return disturbed_percent(self.anchors)

    @property
    def never_clean_layers(self) -> int:
        """How many layers were not seen undisturbed often enough: their latencies are corrected; 0 without a probe."""
        measured = self.table.measurements.values() if self.header.contention else ()
        return sum(not found.is_undisturbed for found in measured)

    @cached_property
    def doubts(self) -> tuple[Doubt, ...]:
        """What speaks against the profile: (severity "poor" or "fair", what was found)."""
        latency, stopped = self.latency, quota_during(self.header.hardware.get("conditions"))
        slowest_us = max((found.value_us for found in self.network_measurements), default=0.0)
        return doubts_of(
            latency.report,
            is_layers_sum=latency.is_composed or self.table.is_empty,
            layers=len(self.table.measurements),
            failures=len(self.table.failures),
            never_clean=self.never_clean_layers,
            drift=self.drift_percent,
            disturbed=self.disturbed_percent if self.header.contention is None else None,
            quota="" if stopped is None else stopped.doubt(slowest_us),
        )

    @property
    def quality(self) -> str:
        """The verdict: good, fair or poor."""
        return verdict_of(self.doubts)

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
