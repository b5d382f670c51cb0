"""What does OpenVINO's pinning cost a network of one thread? The same networks, with it and without, in turn.

    python benchmarks/openvino_pinning.py [--space fashion_mnist] [--networks 8] [--seconds 90]

By default OpenVINO moves the calling thread to the first core at each inference and lets it go again. Each network is
compiled both ways in one process and visited in turn, blocks between readings of the probe, as in a profile. Printed
are the ratio of the middle clean blocks, by network, and how far the middle clean blocks of single visits scatter.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from environment import print_environment

from gnomon.lut import network_parts
from gnomon.profilers import RunConfig
from gnomon.profilers.timing.clean import TOLERANCE, low_level
from gnomon.profilers.timing.probe import Probe, open_probe
from gnomon.supernets import load_space

BLOCK_US, BLOCKS, WARM_UP_US, FEWEST = 250, 8, 2_000, 3
NORMAL = 1.4826  # a normal distribution's standard deviation, as a multiple of the median distance from the median


def main() -> None:
    """Visit the networks, and print what pinning costs them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", default="fashion_mnist")
    parser.add_argument("--networks", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=90.0)
    arguments = parser.parse_args()
    print_environment()
    import openvino

    space, config, core = load_space(arguments.space), RunConfig(), openvino.Core()
    rng = np.random.default_rng(0)
    drawn = [space.architecture(row) for row in space.sample(arguments.networks, rng)]
    models = [network_parts(space, architecture, config)[0].model for architecture in drawn]
    inferences = {
        (number, pinned): opened(openvino, core, model, pinned)
        for number, model in enumerate(models)
        for pinned in (True, False)
    }
    probe = open_probe(1)
    if probe is None:
        raise SystemExit("the clock of this machine is too coarse for a probe")
    taken: dict[tuple[int, bool], list[np.ndarray]] = defaultdict(list)
    until_s = time.monotonic() + arguments.seconds
    places = list(inferences)
    while time.monotonic() < until_s:
        for place in rng.permutation(len(places)):
            key = places[place]
            taken[key].append(visit(inferences[key], probe))
    level_us = low_level([reading for visits in taken.values() for one in visits for reading in one[:, 0]])
    clean = {key: [kept for one in visits if len(kept := clean_of(one, level_us))] for key, visits in taken.items()}
    show(clean, arguments.networks)


def opened(openvino: ModuleType, core: Any, model: bytes, pinned: bool) -> Callable[[], object]:
    """Compile a model for one thread and return what runs it once."""
    settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1}
    settings |= {"INFERENCE_PRECISION_HINT": "f32", "ENABLE_CPU_PINNING": pinned}
    compiled = core.compile_model(core.read_model(model), "CPU", settings)
    request = compiled.create_infer_request()
    for place, port in enumerate(compiled.inputs):
        request.set_input_tensor(place, openvino.Tensor(np.ones(tuple(port.shape), port.element_type.to_dtype())))
    return lambda: request.infer(share_outputs=True)


def visit(run: Callable[[], object], probe: Probe) -> np.ndarray:
    """Warm up and take blocks: probe before, probe after, microseconds per inference, (blocks, 3)."""
    count, start_ns = 0, time.perf_counter_ns()
    while time.perf_counter_ns() - start_ns < 1e3 * WARM_UP_US:
        run()
        count += 1
    loops = max(1, round(BLOCK_US * count / WARM_UP_US))
    found, before_us = [], probe.read_us()
    for _ in range(BLOCKS):
        start_ns = time.perf_counter_ns()
        for _ in range(loops):
            run()
        block_us = (time.perf_counter_ns() - start_ns) / loops / 1e3
        after_us = probe.read_us()
        found.append((before_us, after_us, block_us))
        before_us = after_us
    return np.array(found)


def clean_of(blocks: np.ndarray, level_us: float) -> np.ndarray:
    """Return the clean blocks of a visit at the core's clean clock, (clean,)."""
    slowness = blocks[:, :2] / level_us
    is_clean = (np.abs(slowness - 1) <= TOLERANCE).all(axis=1)
    return blocks[is_clean, 2] / np.sqrt(slowness[is_clean].prod(axis=1))


def show(clean: dict[tuple[int, bool], list[np.ndarray]], networks: int) -> None:
    """Print the ratio of each network, and the scatter of visits."""
    ratios, scatter = [], {True: [], False: []}
    for number in range(networks):
        levels = {}
        for pinned in (True, False):
            visits = clean.get((number, pinned), [])
            if len(visits) < FEWEST:
                break
            levels[pinned] = float(np.median(np.concatenate(visits)))
            logs = np.log([np.median(one) for one in visits])
            scatter[pinned].append(NORMAL * float(np.median(np.abs(logs - np.median(logs)))))
        if len(levels) == 2:
            ratios.append(levels[True] / levels[False])
            print(f"  network {number}: {levels[True]:7.1f} us pinned, {levels[False]:7.1f} us not, {ratios[-1]:.3f}")
    if not ratios:
        raise SystemExit("too few clean blocks; give more --seconds")
    low, middle, high = np.quantile(ratios, (0.25, 0.5, 0.75))
    print(f"pinned / not: {middle:.3f} (quartiles {low:.3f} to {high:.3f}, n = {len(ratios)} networks)")
    for pinned, values in scatter.items():
        name = "pinned" if pinned else "not pinned"
        print(f"visits of one network scatter by {100 * np.median(values):.1f} % (standard deviation), {name}")


if __name__ == "__main__":
    main()
