"""What every benchmark prints first: the machine and the versions its figures hold for."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from gnomon.profilers.machine.hardware import core_noise, fingerprint

PACKAGES = ("gnomon", "numpy", "onnxruntime", "openvino", "tensorrt-rtx-cu13", "torch", "pymoo", "scikit-learn")


def print_environment() -> None:
    """Print machine, noise and versions."""
    hardware, noise = fingerprint(), core_noise()
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    print(f"machine   {hardware.cpu_model}, {hardware.cpus} CPUs, {hardware.memory_mib} MiB, {hardware.kernel}")
    print(f"noise     {noise.verdict}: {noise.sentence}")
    print(f"versions  Python {platform.python_version()}, {', '.join(found)}")


def spread(values: list[float] | np.ndarray) -> str:
    """Say median and quartiles."""
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return f"median {middle:.4g} (quartiles {low:.4g} to {high:.4g}, n = {len(values)})"
