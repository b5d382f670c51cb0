"""NVML: the energy that an NVIDIA GPU counts itself, from the driver's libnvidia-ml.so.1.

The whole board is counted, memory included, since the driver was loaded. GPUs before Volta, and Jetson's, keep no
count; their power readings are not integrated in its place, because over how long they are averaged differs between
boards and nothing says so. The count moves every 20 to 100 ms.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Any, Dict, Mapping

from ...errors import CounterUnavailable
from ...machine.sysfs import ROOT
from ...runtimes.closing import Closing

DEVICES = ("gpu",)
INTERVAL_S = 0.1
LIBRARY = "libnvidia-ml.so.1"
CHOICE = "CUDA_VISIBLE_DEVICES"
NOT_SUPPORTED = 3  # NVML_ERROR_NOT_SUPPORTED


def open_counter(root: Path = ROOT) -> Nvml:
    """Load the driver's library and find the one GPU that counts; raises `CounterUnavailable`."""
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError as exc:
        raise CounterUnavailable(
            f"{LIBRARY} cannot be loaded ({exc}); it comes with NVIDIA's driver, which nvidia-smi shows where it runs"
        ) from exc
    try:
        return _opened(library)
    except AttributeError as exc:
        raise CounterUnavailable(f"{LIBRARY} is older than the counter ({exc}); update NVIDIA's driver") from exc


class Nvml(Closing):
    """One GPU's count of millijoules."""

    name = "nvml"
    interval_s = INTERVAL_S
    total = ("gpu",)

    def __init__(self, library: ctypes.CDLL, device: ctypes.c_void_p) -> None:
        self._library, self._device, self._is_open = library, device, True

    def read(self) -> Dict[str, int]:
        """Return the GPU's count in millijoules; raises `CounterUnavailable`."""
        count = ctypes.c_ulonglong()
        code = self._library.nvmlDeviceGetTotalEnergyConsumption(self._device, ctypes.byref(count))
        if code == NOT_SUPPORTED:
            raise CounterUnavailable("this GPU keeps no count of its energy: those before Volta, and Jetson's, do not")
        _require(self._library, code, "nvmlDeviceGetTotalEnergyConsumption")
        return {"gpu": count.value}

    def spent_mj(self, before: Mapping[str, int], after: Mapping[str, int]) -> Dict[str, float]:
        """Return the millijoules between two readings; raises `CounterUnavailable` where the count fell."""
        if after["gpu"] < before["gpu"]:
            raise CounterUnavailable(
                f"the GPU's count fell from {before['gpu']} to {after['gpu']} mJ: the driver was loaded anew between; "
                "measure again"
            )
        return {"gpu": float(after["gpu"] - before["gpu"])}

    def close(self) -> None:
        """Let go of the library."""
        if self._is_open:
            self._is_open = False
            self._library.nvmlShutdown()


def _opened(library: ctypes.CDLL) -> Nvml:
    library.nvmlErrorString.restype = ctypes.c_char_p
    library.nvmlDeviceGetTotalEnergyConsumption.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_ulonglong)]
    _require(library, library.nvmlInit_v2(), "nvmlInit_v2")
    try:
        counter = Nvml(library, _device(library))
        counter.read()
    except BaseException:
        library.nvmlShutdown()
        raise
    return counter


def _device(library: ctypes.CDLL) -> ctypes.c_void_p:
    """Return the GPU that the environment names, or the only one there is: NVML numbers them otherwise than CUDA."""
    device, chosen = ctypes.c_void_p(), os.environ.get(CHOICE, "")
    if chosen.startswith("GPU-") and "," not in chosen:
        code = library.nvmlDeviceGetHandleByUUID(ctypes.c_char_p(chosen.encode()), ctypes.byref(device))
        _require(library, code, f"no GPU {chosen}, which {CHOICE} names: nvmlDeviceGetHandleByUUID")
        return device
    count = ctypes.c_uint()
    _require(library, library.nvmlDeviceGetCount_v2(ctypes.byref(count)), "nvmlDeviceGetCount_v2")
    if count.value != 1:
        raise CounterUnavailable(
            f"the driver has {count.value} GPUs, and which of them runs the models is not known; name one: "
            f"export {CHOICE}=GPU-... as nvidia-smi -L lists them"
        )
    code = library.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(0), ctypes.byref(device))
    _require(library, code, "nvmlDeviceGetHandleByIndex_v2")
    return device


def _require(library: Any, code: int, what: str) -> None:
    if code != 0:
        said = library.nvmlErrorString(code) or b"no reason"
        raise CounterUnavailable(f"{what} failed: {said.decode(errors='replace')} (NVML error {code})")
