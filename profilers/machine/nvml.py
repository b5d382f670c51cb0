"""What NVIDIA's management library tells of the GPU, by ctypes: name and driver, and clocks and why they are held down.

Name and driver stay; a profile is of them. Clocks, temperature and the reasons for a lower clock change by the second:
they explain a time and are no part of its key. Whatever NVML does not tell is None, or missing; where there is no NVML
(as on some Jetson boards), that is said.
"""

from __future__ import annotations

import contextlib
import ctypes
from typing import Any, Dict, Iterable, Optional, Tuple

from .nvidia_libraries import open_each

NAMES = ("libnvidia-ml.so.1", "libnvidia-ml.so", "nvml.dll")
ABSENT = "absent: libnvidia-ml, which comes with NVIDIA's driver"
TEXT_BYTES = 96
SM, MEMORY = 1, 2  # nvmlClockType_t
CORE_SENSOR = 0
REASONS = {  # nvmlClocksEventReasons
    0x1: "idle",
    0x2: "application clocks",
    0x4: "power cap",
    0x8: "hardware slowdown",
    0x10: "sync boost",
    0x20: "thermal slowdown by software",
    0x40: "thermal slowdown by hardware",
    0x80: "power brake",
    0x100: "display clocks",
}
UNWANTED = 0x4 | 0x8 | 0x20 | 0x40 | 0x80


class Nvml:
    """One GPU as NVML sees it; made by `open_nvml`."""

    def __init__(self, library: Any, bus_id: Optional[str]) -> None:
        """Find the GPU at a PCI bus id, or the first one; raises OSError when NVML refuses."""
        self._library = library
        self._device = ctypes.c_void_p()
        self._require("nvmlInit_v2")
        if bus_id is None:
            self._require("nvmlDeviceGetHandleByIndex_v2", ctypes.c_uint(0), ctypes.byref(self._device))
        else:
            place = ctypes.c_char_p(bus_id.encode("ascii", "replace"))
            self._require("nvmlDeviceGetHandleByPciBusId_v2", place, ctypes.byref(self._device))

    def identity(self) -> Dict[str, str]:
        """Return the GPU's name and its driver's version, as far as NVML tells them."""
        found = {
            "gpu": self._text("nvmlDeviceGetName", self._device),
            "gpu_driver": self._text("nvmlSystemGetDriverVersion"),
        }
        return {name: value for name, value in found.items() if value}

    def conditions(self) -> Dict[str, Any]:
        """Return clocks (now, highest, as set), what holds the clock down, temperature and power, at this moment."""
        sm, memory = ctypes.c_int(SM), ctypes.c_int(MEMORY)
        power_mw = self._number("nvmlDeviceGetPowerUsage", self._device)
        return {
            "sm_clock_mhz": self._number("nvmlDeviceGetClockInfo", self._device, sm),
            "sm_clock_highest_mhz": self._number("nvmlDeviceGetMaxClockInfo", self._device, sm),
            "sm_clock_application_mhz": self._number("nvmlDeviceGetApplicationsClock", self._device, sm),
            "memory_clock_mhz": self._number("nvmlDeviceGetClockInfo", self._device, memory),
            "memory_clock_highest_mhz": self._number("nvmlDeviceGetMaxClockInfo", self._device, memory),
            "clock_limited_by": self._reasons(),
            "temperature_c": self._number("nvmlDeviceGetTemperature", self._device, ctypes.c_int(CORE_SENSOR)),
            "power_w": None if power_mw is None else round(power_mw / 1e3, 1),
        }

    def _reasons(self) -> Optional[Tuple[str, ...]]:
        mask = ctypes.c_ulonglong()
        names = ("nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons")  # new, old
        if not any(self._call(name, self._device, ctypes.byref(mask)) for name in names):
            return None
        return tuple(reason for bit, reason in REASONS.items() if mask.value & bit)

    def _text(self, function: str, *arguments: Any) -> str:
        text = ctypes.create_string_buffer(TEXT_BYTES)
        is_told = self._call(function, *arguments, text, ctypes.c_uint(TEXT_BYTES))
        return text.value.decode("utf-8", "replace") if is_told else ""

    def _number(self, function: str, *arguments: Any) -> Optional[int]:
        number = ctypes.c_uint()
        return number.value if self._call(function, *arguments, ctypes.byref(number)) else None

    def _require(self, function: str, *arguments: Any) -> None:
        if not self._call(function, *arguments):
            raise OSError(f"NVML refused {function}")

    def _call(self, function: str, *arguments: Any) -> bool:
        called = getattr(self._library, function, None)  # releases add and drop functions
        return called is not None and called(*arguments) == 0


def open_nvml(bus_id: Optional[str] = None, library: Optional[Any] = None) -> Optional[Nvml]:
    """Return NVML's view of the GPU at a PCI bus id, of the first GPU without one; None where there is none."""
    library = library or next(open_each(NAMES), None)
    with contextlib.suppress(OSError):
        return None if library is None else Nvml(library, bus_id)
    return None


def slowdowns(reasons: Iterable[str]) -> Tuple[str, ...]:
    """Return those reasons for a lower clock that nobody chose: power, heat, a slowdown by the hardware."""
    unwanted = {reason for bit, reason in REASONS.items() if bit & UNWANTED}
    return tuple(reason for reason in reasons if reason in unwanted)
