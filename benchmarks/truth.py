"""The truth that latency predictions are held against: whole networks, timed by code that shares nothing with ours.

A plain hot loop over the runtime's own API, in two processes, one after the other, each with half of the passes. All
networks are compiled at once and visited in shuffled passes; every visit warms up with five inferences and then times
single ones. A network's latency is the lower quartile of all of them, its noise how far the two processes differ.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gnomon.profilers.run_config import RunConfig
from gnomon.supernets import SearchSpace
from gnomon.supernets.graph import graph_from_layers

OPENERS = {
    "onnxruntime": """
import onnxruntime, numpy as np
def opened(path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    for entry in session.get_inputs():
        values = np.zeros(entry.shape, np.int64 if "int64" in entry.type else np.float32)
        if values.dtype == np.int64:
            values[:, : values.shape[1] // 2] = 1  # the rest is padding, which costs ONNX Runtime 5 % of a text network
        binding.bind_cpu_input(entry.name, values)
    binding.bind_output(session.get_outputs()[0].name)
    return lambda: session.run_with_iobinding(binding)
""",
    "openvino": """
import sys
sys.modules["openvino_telemetry"] = None
import openvino, numpy as np
core = openvino.Core()
def opened(path, threads):
    settings = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}
    settings["INFERENCE_PRECISION_HINT"] = "f32"  # else bf16 where the CPU has it
    request = core.compile_model(path, "CPU", settings).create_infer_request()
    for place, entry in enumerate(request.model_inputs):
        kind = entry.element_type.to_dtype()
        values = np.zeros(entry.shape, kind)
        if kind == np.int64:
            values[:, : values.shape[1] // 2] = 1
        request.set_input_tensor(place, openvino.Tensor(values))
    return lambda: request.infer(share_outputs=True)
""",
}
LOOP = """
import json, random, sys, time
paths, passes, threads = json.loads(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
runs = {path: opened(path, threads) for path in paths if threads == 1}  # else threads of the others may spin
loops, found = {}, {path: [] for path in paths}
for path in paths:
    run = runs.get(path) or opened(path, threads)
    run(); run()
    start = time.perf_counter(); run()
    loops[path] = max(1, round(0.002 / (time.perf_counter() - start)))
for number in range(passes):
    random.Random(number).shuffle(paths)
    for path in paths:
        run = runs.get(path) or opened(path, threads)
        count, visit = loops[path], []
        for _ in range(5 * count):
            run()
        for _ in range(4):
            start = time.perf_counter()
            for _ in range(count):
                run()
            visit.append((time.perf_counter() - start) / count * 1e6)
        found[path].append(visit)
        del run
print(json.dumps([found[path] for path in sorted(paths)]))
"""
TOGETHER = 130  # networks compiled at once
FIRST, SECOND = 0, 1  # the processes


def measure_truth(models: Sequence[bytes], backend: str, config: RunConfig, *, passes: int) -> list[list[list[float]]]:
    """Time ONNX models: microseconds, by model, pass and inference; the first half of the passes by one process."""
    found: list[list[list[float]]] = []
    for start in range(0, len(models), TOGETHER):
        together = models[start : start + TOGETHER]
        with tempfile.TemporaryDirectory() as folder:
            paths = [str(Path(folder) / f"{number:05d}.onnx") for number in range(len(together))]
            for path, model in zip(paths, together):
                Path(path).write_bytes(model)
            command = [sys.executable, "-c", OPENERS[backend] + LOOP, json.dumps(paths), str(passes // 2)]
            first, second = (
                json.loads(
                    subprocess.run([*command, str(config.threads)], check=True, capture_output=True, text=True).stdout
                )
                for _ in range(2)
            )
            found += [[*a, *b] for a, b in zip(first, second)]
    return found


def models_of(space: SearchSpace, rows: np.ndarray, config: RunConfig) -> list[bytes]:
    """Export networks (n, d) as a user would."""
    return [graph_from_layers(space.layers(space.architecture(row)), batch=config.batch) for row in rows]


def lower_quartile(visits: Sequence[Sequence[float]]) -> float:
    """Return the lower quartile of all inferences of some visits."""
    return float(np.quantile(np.concatenate([np.asarray(visit) for visit in visits]), 0.25))


def latencies_us(measured: Sequence[list[list[float]]], process: int | None = None) -> np.ndarray:
    """Return each network's latency, (n,), by both processes or by one."""
    half = len(measured[0]) // 2
    passes = {None: slice(None), FIRST: slice(half), SECOND: slice(half, None)}[process]
    return np.array([lower_quartile(visits[passes]) for visits in measured])
