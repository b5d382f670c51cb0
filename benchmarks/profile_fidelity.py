"""Is a profile's prediction what a user will see? Fresh whole networks, timed by other code in another process.

    python benchmarks/profile_fidelity.py [--space fashion_mnist] [--backend onnxruntime] [--networks 30]

The profile is measured here, now (or taken from --profile). The truth is a plain hot loop over the runtime's own
API, one network alive at a time, several shuffled passes; the networks are not among the profile's. Beside Gnomon's
prediction stand the plain sum of layers, a line over MACs, and a ridge on one-hot genes (DyNAS-T's way), the latter two
fitted to the same whole networks that the profile holds.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from environment import print_environment
from sklearn.linear_model import Ridge, RidgeCV

import gnomon
from gnomon.lut import HardwareProfile
from gnomon.lut.verification import noise_floor_percent, share_within, spearman
from gnomon.profilers.timing import Measurement
from gnomon.supernets.graph import graph_from_layers

PASSES = 6
TRUTH = {
    "onnxruntime": """
import onnxruntime, numpy as np
def opened(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    binding = session.io_binding()
    binding.bind_cpu_input(entry.name, np.zeros(entry.shape, np.float32))
    binding.bind_output(session.get_outputs()[0].name)
    return lambda: session.run_with_iobinding(binding)
""",
    "openvino": """
import sys
sys.modules["openvino_telemetry"] = None
import openvino, numpy as np
core = openvino.Core()
def opened(path):
    settings = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}
    settings["INFERENCE_PRECISION_HINT"] = "f32"  # else bf16 where the CPU has it
    request = core.compile_model(path, "CPU", settings).create_infer_request()
    request.set_input_tensor(openvino.Tensor(np.zeros(request.get_input_tensor().shape, np.float32)))
    return lambda: request.infer(share_outputs=True)
""",
}
LOOP = """
import json, random, statistics, sys, time
paths, passes = json.loads(sys.argv[1]), int(sys.argv[2])
found = {path: [] for path in paths}
for number in range(passes):
    random.Random(number).shuffle(paths)
    for path in paths:
        run = opened(path)
        until = time.perf_counter() + 0.03
        while time.perf_counter() < until:
            run()
        blocks = []
        for _ in range(15):
            loops, started = 0, time.perf_counter()
            while time.perf_counter() - started < 0.004:
                run()
                loops += 1
            blocks.append((time.perf_counter() - started) / loops * 1e6)
        found[path].append(statistics.median(blocks))
print(json.dumps(found))
"""


def main() -> None:
    """Measure, predict, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", default="fashion_mnist")
    parser.add_argument("--backend", default="onnxruntime", choices=sorted(TRUTH))
    parser.add_argument("--networks", type=int, default=30)
    parser.add_argument("--profile", help="take this profile, with its space and backend, instead of measuring one")
    parser.add_argument("--run", help="time the front of this search run instead of random networks")
    arguments = parser.parse_args()
    print_environment()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.profile:
            profile = gnomon.load_profile(arguments.profile)
        else:
            profile = gnomon.profile(arguments.space, arguments.backend, out=Path(folder) / "profile.jsonl")
        config, backend = profile.header.config, profile.header.backend
        if backend not in TRUTH or (config.precision, config.threads, config.batch) != ("fp32", 1, 1):
            parser.error(f"the loop here times {' and '.join(TRUTH)} in fp32, one thread, batch 1; not {profile.name}")
        fresh = front_of(arguments.run) if arguments.run else fresh_networks(profile, arguments.networks)
        truth = measure_truth(profile, fresh, Path(folder), backend)
    print(f"profile   {profile.header.space} on {profile.header.backend}: {profile.latency.report.sentence()}")
    print(f"cost      {profile.header.seconds:.0f} s, compilation included; model {profile.latency.report.model}")
    compare(profile, fresh, truth)


def fresh_networks(profile: HardwareProfile, n: int) -> np.ndarray:
    """Draw networks that the profile does not hold, (n, d)."""
    known = {network.indices for network in profile.networks}
    rows = profile.space.sample(4 * n, np.random.default_rng(20261))
    return np.array([row for row in rows if tuple(row) not in known][:n])


def front_of(run: str) -> np.ndarray:
    """Return the networks of a run's Pareto front, (n, d)."""
    return np.array([architecture.indices for architecture in gnomon.load_run(run).front().architectures])


def measure_truth(profile: HardwareProfile, rows: np.ndarray, folder: Path, backend: str) -> list[Measurement]:
    """Time each network in a new process, PASSES visits each."""
    paths = []
    for number, row in enumerate(rows):
        path = folder / f"{number}.onnx"
        path.write_bytes(graph_from_layers(profile.space.layers(profile.space.architecture(row))))
        paths.append(str(path))
    command = [sys.executable, "-c", TRUTH[backend] + LOOP, json.dumps(paths), str(PASSES)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return [Measurement(tuple((visit,) for visit in found[path]), 1) for path in paths]


def compare(profile: HardwareProfile, rows: np.ndarray, measured: list[Measurement]) -> None:
    """Print one line a predictor."""
    truth = np.array([measurement.value_us for measurement in measured])
    space, known = profile.space, np.array([network.indices for network in profile.networks])
    known_us = np.array([measurement.value_us for measurement in profile.network_measurements])
    estimate = profile.latency.predict(rows)
    one_hot = RidgeCV(np.logspace(-3, 3, 13)).fit(space.one_hot(known), known_us)
    macs = Ridge(1e-9).fit(space.macs(known)[:, None], known_us)
    predictions = {
        "Gnomon": estimate.value_us,
        "plain sum of layers": space.slot_sum(profile.table.value_us)(rows),
        "line over MACs": macs.predict(space.macs(rows)[:, None]),
        "ridge on one-hot genes": one_hot.predict(space.one_hot(rows)),
    }
    print(f"truth     n = {len(truth)} fresh networks, {PASSES} visits each, {truth.min():.0f} to {truth.max():.0f} us")
    print(f"          repeat noise {noise_floor_percent(measured):.1f} %")
    print(f"{'':24s}{'bias %':>8s}{'MAPE %':>8s}{'<= 5 %':>8s}{'<= 10 %':>8s}{'Spearman':>10s}")
    for name, predicted in predictions.items():
        relative = 100 * (predicted - truth) / truth
        shares = f"{share_within(relative, 5):8.0f}{share_within(relative, 10):8.0f}"
        rank = spearman(predicted, truth)
        print(f"{name:24s}{relative.mean():8.1f}{np.abs(relative).mean():8.1f}{shares}{rank:10.3f}")
    inside = np.mean((estimate.low_us <= truth) & (truth <= estimate.high_us))
    print(f"90 % intervals hold {100 * inside:.0f} % of the truth")


if __name__ == "__main__":
    main()
