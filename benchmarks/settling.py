"""How much slower is the first inference after the probe than the third? What the protocol leaves unrecorded.

    python benchmarks/settling.py [--backend openvino] [--seconds 100]

Whole networks of `fashion_mnist` and layers of `ofa_mobilenetv3`, all kept compiled, are visited in turn; between two
readings of the probe three inferences are timed one by one. Printed is, for each model, how much longer the first and
the second took than the third, of those between clean readings.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict

import numpy as np
from environment import print_environment

from gnomon.lut import network_parts
from gnomon.lut.measuring.networks import layer_model
from gnomon.profilers import RunConfig, load_backend
from gnomon.profilers.timing.clean import TOLERANCE, low_level
from gnomon.profilers.timing.probe import Probe, open_probe
from gnomon.profilers.timing.protocol import TimedLoop
from gnomon.supernets import load_space

NETWORKS, LAYERS, BLOCKS, WARM_UP_S, FEWEST = 12, 12, 8, 0.002, 12


def main() -> None:
    """Visit the models, and print what the first inference costs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", default="onnxruntime")
    parser.add_argument("--seconds", type=float, default=100.0)
    arguments = parser.parse_args()
    print_environment()
    probe, rng, config = open_probe(1), np.random.default_rng(0), RunConfig()
    if probe is None:
        raise SystemExit("the clock of this machine is too coarse for a probe")
    small, large = load_space("fashion_mnist"), load_space("ofa_mobilenetv3")
    drawn = [network_parts(small, small.architecture(row), config)[0].model for row in small.sample(NETWORKS, rng)]
    layers = sorted(large.unique_layers(), key=lambda spec: spec.key)
    drawn += [layer_model(layers[place], config) for place in rng.permutation(len(layers))[:LAYERS]]
    backend = load_backend(arguments.backend)
    models = [backend.load(model, config) for model in drawn]
    taken: dict[int, list[tuple[float, ...]]] = defaultdict(list)
    until_s = time.monotonic() + arguments.seconds
    while time.monotonic() < until_s:
        for place in rng.permutation(len(models)):
            taken[place] += visit(models[place], probe)
    show(taken)


def visit(model: TimedLoop, probe: Probe) -> list[tuple[float, ...]]:
    """Warm up and take blocks: the probe before and after, and three inferences one by one, in microseconds."""
    start_s = time.monotonic()
    while time.monotonic() - start_s < WARM_UP_S:
        model.elapsed_ns(1)
    found, before_us = [], probe.read_us()
    for _ in range(BLOCKS):
        inferences_us = [model.elapsed_ns(1) / 1e3 for _ in range(3)]
        after_us = probe.read_us()
        found.append((before_us, after_us, *inferences_us))
        before_us = after_us
    return found


def show(taken: dict[int, list[tuple[float, ...]]]) -> None:
    """Print each model's inferences, and the median over models of less and of more than 250 us."""
    level_us = low_level([reading for blocks in taken.values() for block in blocks for reading in block[:2]])
    rows = []
    for blocks in taken.values():
        values = np.array(blocks)
        clean = (np.abs(values[:, :2] / level_us - 1) <= TOLERANCE).all(axis=1)
        if clean.sum() >= FEWEST:
            rows.append((*np.median(values[clean, 2:], axis=0), int(clean.sum())))
    for first, second, third, count in sorted(rows, key=lambda row: row[2]):
        more, still = (100 * (us / third - 1) for us in (first, second))
        print(f"  {third:8.1f} us: first {more:+.1f} %, second {still:+.1f} %  (n = {count})")
    for name, chosen in (("up to", [r for r in rows if r[2] <= 250]), ("over", [r for r in rows if r[2] > 250])):
        if chosen:
            more = [100 * (first / third - 1) for first, _, third, _ in chosen]
            still = [100 * (second / third - 1) for _, second, third, _ in chosen]
            low, middle, high = np.quantile(more, (0.25, 0.5, 0.75))
            print(
                f"{name} 250 us: first {middle:+.1f} % (quartiles {low:+.1f} to {high:+.1f}), "
                f"second {np.median(still):+.1f} %, n = {len(chosen)} models"
            )


if __name__ == "__main__":
    main()
