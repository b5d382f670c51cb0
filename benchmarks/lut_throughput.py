"""How many architectures a second a profile prices on one core: values alone, and with interval and source."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import time

import numpy as np
from environment import print_environment, spread

from gnomon import load_profile
from gnomon.lut import shipped_profiles

ARCHITECTURES, REPEATS = 1_000_000, 9


def main() -> None:
    """Price a million random architectures with every shipped profile of ONNX Runtime."""
    print_environment()
    for name in shipped_profiles():
        if ".onnxruntime." not in name:
            continue
        profile = load_profile(name)
        rows = profile.space.sample(ARCHITECTURES, np.random.default_rng(0))
        for label, price in (("values", profile.latency.value_us), ("with interval", profile.latency.predict)):
            rates = []
            for _ in range(REPEATS):
                started = time.perf_counter()
                price(rows)
                rates.append(ARCHITECTURES / (time.perf_counter() - started) / 1e6)
            print(f"{profile.header.space:16s} {label:14s} million architectures a second: {spread(rates)}")


if __name__ == "__main__":
    main()
