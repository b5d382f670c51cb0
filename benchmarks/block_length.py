"""How long should a block be on a busy machine? The clean blocks of some layers, by how long a block lasts.

    python benchmarks/block_length.py [--backend openvino] [--seconds 60]

Layers of `fashion_mnist` are visited in turn with blocks of each length, a reading of the probe between any two, as in
a profile. A block counts as clean as there: both readings within the tolerance of the level that readings have when
nobody shares the core. Printed is the middle clean block of each length, as a ratio to the tenth part of the quickest
clean blocks of all lengths, as it is and divided by the core's clock.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict

import numpy as np
from environment import print_environment

from gnomon.lut.measuring.networks import layer_model
from gnomon.profilers import RunConfig, load_backend
from gnomon.profilers.runtimes.backend import Executable
from gnomon.profilers.timing.clean import TOLERANCE, low_level
from gnomon.profilers.timing.probe import Probe, open_probe
from gnomon.supernets import load_space

LENGTHS_US = (150, 300, 1_000)
VISIT_US, WARM_UP_US, LAYERS = 4_000, 2_000, 6

Block = tuple[float, float, float]  # probe before, probe after, microseconds per inference


def main() -> None:
    """Visit the layers, and print what their clean blocks say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", default="openvino")
    parser.add_argument("--seconds", type=float, default=60.0)
    arguments = parser.parse_args()
    print_environment()
    backend, config = load_backend(arguments.backend), RunConfig()
    specs = sorted(load_space("fashion_mnist").unique_layers(), key=lambda spec: spec.key)
    chosen = [specs[round(place)] for place in np.linspace(0, len(specs) - 1, LAYERS)]
    executables = [backend.load(layer_model(spec, config), config) for spec in chosen]
    probe = open_probe(1)
    if probe is None:
        raise SystemExit("the clock of this machine is too coarse for a probe")
    inference_us = [min(one.elapsed_ns(20) / 20e3 for _ in range(50)) for one in executables]
    taken: dict[tuple[int, int], list[Block]] = defaultdict(list)
    until_s = time.monotonic() + arguments.seconds
    while time.monotonic() < until_s:
        for number, executable in enumerate(executables):
            for length_us in LENGTHS_US:
                loops = max(1, round(length_us / inference_us[number]))
                warm = max(1, round(WARM_UP_US / inference_us[number]))
                taken[number, length_us] += visit(executable, probe, loops, VISIT_US // length_us, warm)
    show(arguments.backend, taken)


def visit(executable: Executable, probe: Probe, loops: int, blocks: int, warm: int) -> list[Block]:
    """Warm up, then take some blocks, each between two readings."""
    executable.elapsed_ns(warm)
    found, before_us = [], probe.read_us()
    for _ in range(blocks):
        block_us = executable.elapsed_ns(loops) / loops / 1e3
        after_us = probe.read_us()
        found.append((before_us, after_us, block_us))
        before_us = after_us
    return found


def show(backend: str, taken: dict[tuple[int, int], list[Block]]) -> None:
    """Print, for each length, how many blocks were clean and how far the middle one is from the quickest."""
    level_us = low_level([reading for blocks in taken.values() for block in blocks for reading in block[:2]])
    clean: dict[tuple[int, int], np.ndarray] = {}
    for place, blocks in taken.items():
        values = np.array(blocks) / [level_us, level_us, 1.0]
        clean[place] = values[(np.abs(values[:, :2] - 1) <= TOLERANCE).all(axis=1)]
    print(f"{backend}, {LAYERS} layers of fashion_mnist; the level of the probe is {level_us:.1f} us")
    print("  block      clean of all      middle block / quickest (as it is)     (at the core's clean clock)")
    for length_us in LENGTHS_US:
        plain, at_clock = [], []
        for number in range(LAYERS):
            clocks = {us: np.sqrt(values[:, 0] * values[:, 1]) for us, values in of_layer(clean, number).items()}
            times = {us: values[:, 2] for us, values in of_layer(clean, number).items()}
            if min(map(len, times.values())) < 10:
                continue
            corrected = {us: times[us] / clocks[us] for us in times}
            for found, ratios in ((times, plain), (corrected, at_clock)):
                quickest = min(float(np.quantile(values, 0.1)) for values in found.values())
                ratios.append(float(np.median(found[length_us])) / quickest)
        kept = sum(len(clean[number, length_us]) for number in range(LAYERS))
        made = sum(len(taken[number, length_us]) for number in range(LAYERS))
        texts = [f"{np.median(r):.3f} ({min(r):.3f} to {max(r):.3f})" if r else "too few" for r in (plain, at_clock)]
        print(f"  {length_us:5d} us {kept:7d} of {made:6d}   {texts[0]:36s} {texts[1]}")


def of_layer(clean: dict[tuple[int, int], np.ndarray], number: int) -> dict[int, np.ndarray]:
    """Return the clean blocks of one layer by their length."""
    return {length_us: clean[number, length_us] for length_us in LENGTHS_US}


if __name__ == "__main__":
    main()
