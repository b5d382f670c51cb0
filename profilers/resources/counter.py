"""Energy counters: what a machine itself counts, by name.

The registry is the folder ``counters/`` (file name = counter name). A module of it has ``DEVICES``, the kinds of
processor whose work it counts, and ``open_counter(root)``, which raises `CounterUnavailable` with the reason where
there is none. Energy is counted or it is not known: nothing here multiplies a time by a processor's rated power.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Dict, Mapping, Optional, Protocol, Tuple

from ..errors import CounterUnavailable
from ..machine.sysfs import ROOT
from . import counters


class Counter(Protocol):
    """An open counter of energy; it counts all that runs on what it measures, other programs too."""

    @property
    def name(self) -> str:
        """The name of its module."""

    @property
    def interval_s(self) -> float:
        """How long it takes, in seconds, until its value moves: shorter measurements say nothing."""

    @property
    def total(self) -> Tuple[str, ...]:
        """The domains whose sum is the energy; others are parts of these, or hold them, and are only recorded."""

    def read(self) -> Mapping[str, int]:
        """Return its raw values now; they mean something to `spent_mj` only. Raises `CounterUnavailable`."""

    def spent_mj(self, before: Mapping[str, int], after: Mapping[str, int]) -> Dict[str, float]:
        """Return the millijoules between two readings, by domain; raises `CounterUnavailable` where they cannot say."""

    def close(self) -> None:
        """Let go of it; called again, it does nothing."""


@dataclass(frozen=True)
class CounterState:
    """Whether a counter can be read here: what it counts, and ``unavailable``, why not (empty where it can)."""

    name: str
    devices: Tuple[str, ...]
    total: Tuple[str, ...]
    interval_s: Optional[float]
    unavailable: str

    def __str__(self) -> str:
        if self.unavailable:
            return self.unavailable
        return f"counts {', '.join(self.total)}, in steps of {1e3 * (self.interval_s or 0.0):g} ms"


def counter_names() -> Tuple[str, ...]:
    """Return the names of all counters, whether or not this machine has them, sorted."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(counters.__path__)))


def open_counter(device: str, root: str | Path = ROOT) -> Counter:
    """Open the first counter, by name, of what runs on a kind of processor (cpu, gpu, npu).

    Raises `CounterUnavailable` with all that were tried and why each is absent. ``root`` is where /sys is looked for.
    """
    root = Path(root)
    reasons = []
    for name in counter_names():
        if device in _module(name).DEVICES:
            try:
                counter: Counter = _module(name).open_counter(root)
            except CounterUnavailable as exc:
                reasons.append(f"{name}: {exc}")
            else:
                return counter
    tried = "; ".join(reasons) or "none of the counters known counts it"
    raise CounterUnavailable(f"No counter measures the energy of the {device} here, and it is never estimated. {tried}")


def counter_states(root: str | Path = ROOT) -> Tuple[CounterState, ...]:
    """Try every counter and say what each counts here, or why it does not."""
    root = Path(root)
    return tuple(_state(name, root) for name in counter_names())


def _state(name: str, root: Path) -> CounterState:
    module = _module(name)
    devices = tuple(module.DEVICES)
    try:
        counter: Counter = module.open_counter(root)
    except CounterUnavailable as exc:
        return CounterState(name, devices, (), None, str(exc))
    try:
        return CounterState(name, devices, counter.total, counter.interval_s, "")
    finally:
        counter.close()


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"{counters.__name__}.{name}")
