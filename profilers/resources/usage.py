"""What running a model takes besides time: memory and energy, as raw values; what is reported is derived from them."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass
from typing import Any, Dict, List, Mapping, Optional, Tuple


@dataclass(frozen=True)
class MemoryUse:
    """The main memory of one fresh process, in MiB.

    start: before the runtime is imported. runtime: after, with the models' files read. peak: the most held while
    loading and running the model. resident: what is held after that.
    """

    start: float
    runtime: float
    peak: float
    resident: float

    @property
    def memory_mib(self) -> float:
        """What the model took beside the runtime, at most."""
        return self.peak - self.runtime


@dataclass(frozen=True)
class EnergyReading:
    """Some seconds, and the millijoules that a counter counted in them, by domain."""

    seconds: float
    energy_mj: Mapping[str, float]

    def energy_of(self, domains: Tuple[str, ...]) -> float:
        """Return the millijoules of some domains together."""
        return sum(self.energy_mj[domain] for domain in domains)


@dataclass(frozen=True)
class EnergyUse:
    """The energy of ``inferences`` back to back in one process, and of doing nothing right before and right after.

    counter: which one counted. total: the domains that add up. interval_s: how long until the counter moves.
    """

    counter: str
    total: Tuple[str, ...]
    interval_s: float
    inferences: int
    running: EnergyReading
    idle: Tuple[EnergyReading, ...]

    @property
    def energy_mj(self) -> float:
        """Millijoules an inference, gross: what else the counted hardware used meanwhile is in it."""
        return self.running.energy_of(self.total) / self.inferences

    @property
    def idle_power_w(self) -> float:
        """Watts while nothing ran."""
        return sum(spell.energy_of(self.total) for spell in self.idle) / sum(spell.seconds for spell in self.idle) / 1e3

    @property
    def net_energy_mj(self) -> float:
        """Millijoules an inference beyond what idling for as long takes."""
        return self.energy_mj - 1e3 * self.idle_power_w * self.running.seconds / self.inferences


@dataclass(frozen=True)
class Usage:
    """One process's measurement; ``energy`` is None where it was not asked for."""

    memory: MemoryUse
    energy: Optional[EnergyUse]

    def to_json(self) -> Dict[str, Any]:
        """Return the fields as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Usage:
        """Return the measurement written by `to_json`; KeyError or TypeError for anything else."""
        energy = data["energy"]
        return cls(MemoryUse(**data["memory"]), None if energy is None else _energy_from_json(energy))


@dataclass(frozen=True)
class Resources:
    """Measurements of one model in several fresh processes; raw values are in ``repeats``, figures are medians.

    no_device_memory: why the memory of an accelerator is not among them; empty where there is none.
    """

    repeats: Tuple[Usage, ...]
    no_device_memory: str = ""

    @property
    def memory_mib(self) -> float:
        """MiB of main memory that the model took beside the runtime, at most."""
        return statistics.median(usage.memory.memory_mib for usage in self.repeats)

    @property
    def memory_spread_mib(self) -> float:
        """MiB between the largest and the smallest repeat."""
        return _spread([usage.memory.memory_mib for usage in self.repeats])

    @property
    def peak_mib(self) -> float:
        """MiB of main memory that the whole process took, at most."""
        return statistics.median(usage.memory.peak for usage in self.repeats)

    @property
    def energy(self) -> Tuple[EnergyUse, ...]:
        """The repeats' energy; nothing where it was not asked for."""
        return tuple(usage.energy for usage in self.repeats if usage.energy is not None)

    @property
    def energy_mj(self) -> Optional[float]:
        """Millijoules an inference, gross; None where it was not asked for."""
        return statistics.median(use.energy_mj for use in self.energy) if self.energy else None

    @property
    def energy_spread_mj(self) -> Optional[float]:
        """Millijoules between the largest and the smallest repeat."""
        return _spread([use.energy_mj for use in self.energy]) if self.energy else None

    @property
    def net_energy_mj(self) -> Optional[float]:
        """Millijoules an inference beyond idling for as long."""
        return statistics.median(use.net_energy_mj for use in self.energy) if self.energy else None

    @property
    def idle_power_w(self) -> Optional[float]:
        """Watts while nothing ran, right before and after."""
        return statistics.median(use.idle_power_w for use in self.energy) if self.energy else None


def _energy_from_json(data: Mapping[str, Any]) -> EnergyUse:
    return EnergyUse(
        **dict(
            data,
            total=tuple(data["total"]),
            running=EnergyReading(**data["running"]),
            idle=tuple(EnergyReading(**spell) for spell in data["idle"]),
        )
    )


def _spread(values: List[float]) -> float:
    return max(values) - min(values)
