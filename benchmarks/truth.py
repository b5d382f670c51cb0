"""The truth that latency predictions are held against: whole networks, timed by code that shares nothing with ours.

A plain hot loop over the runtime's own API, in two processes, one after the other, each with half of the passes. All
networks are compiled at once and visited in shuffled passes; every visit warms up, then times blocks of about a
millisecond, with a tiny kernel before and after each that tells whether the core was ours. A network's latency is the
median of the blocks between two clean readings, its noise how far the two processes differ.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gnomon.profilers.run_config import RunConfig
from gnomon.supernets import SearchSpace
from gnomon.supernets.graph import graph_from_layers

Timed = tuple[float, float]  # microseconds of an inference, and the slower reading around it in units of the clean one
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
    "onnxruntime:cuda": """
import onnxruntime, numpy as np
onnxruntime.preload_dlls()
def opened(path, threads):
    session = onnxruntime.InferenceSession(path, providers=[("CUDAExecutionProvider", {"use_tf32": "0"})])
    binding = session.io_binding()
    for entry in session.get_inputs():
        binding.bind_ortvalue_input(
            entry.name, onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros(entry.shape, np.float32), "cuda", 0)
        )
    binding.bind_output(session.get_outputs()[0].name, "cuda")
    def run():
        session.run_with_iobinding(binding)  # waits for the GPU
    return run
""",
    "openvino": """
import sys
sys.modules["openvino_telemetry"] = None
import openvino, numpy as np
core = openvino.Core()
def opened(path, threads):
    settings = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}
    settings["INFERENCE_PRECISION_HINT"] = "f32"  # else bf16 where the CPU has it
    if threads == 1:
        settings["ENABLE_CPU_PINNING"] = False  # else each inference moves the thread to the first core
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
import json, os, random, sys, time
paths, passes, threads = json.loads(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
square = np.linspace(-1, 1, 1024, dtype=np.float32).reshape(32, 32)
product, clock = np.empty_like(square), time.perf_counter
cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
def kernel():
    for _ in range(2):
        np.matmul(square, square, out=product)
    start = clock()
    for _ in range(8):
        np.matmul(square, square, out=product)
    return (clock() - start) * 1e6
def gate():
    if not 1 < len(cores) <= threads:
        return kernel()
    slowest = 0.0
    for core in cores:
        os.sched_setaffinity(0, {core})
        slowest = max(slowest, kernel())
    os.sched_setaffinity(0, cores)
    return slowest
runs = {path: opened(path, threads) for path in paths if threads == 1}  # else threads of the others may spin
loops, found = {}, {path: [] for path in paths}
for path in paths:
    run = runs.get(path) or opened(path, threads)
    run(); run()
    start = clock(); run()
    loops[path] = max(1, round(0.001 / (clock() - start)))
for number in range(passes):
    random.Random(number).shuffle(paths)
    for path in paths:
        run = runs.get(path) or opened(path, threads)
        count, visit = loops[path], []
        for _ in range(5 * count):
            run()
        before = gate()
        for _ in range(6):
            start = clock()
            for _ in range(count):
                run()
            us = (clock() - start) / count * 1e6
            after = gate()
            visit.append((us, max(before, after)))
            before = after
        found[path].append(visit)
        del run
print(json.dumps([found[path] for path in sorted(paths)]))
"""
TOGETHER = 130  # networks compiled at once
FIRST, SECOND = 0, 1  # the processes
CLEAN = 1.12  # how far above the quickest that is common a reading of the gate may lie
COMMON = 0.03  # the share of all readings that is common
FEWEST = 4  # clean times that a latency is read off


def measure_truth(models: Sequence[bytes], backend: str, config: RunConfig, *, passes: int) -> list[list[list[Timed]]]:
    """Time ONNX models: (microseconds, slower gate reading), by model, pass and block; half of the passes a process."""
    found: list[list[list[Timed]]] = []
    for start in range(0, len(models), TOGETHER):
        together = models[start : start + TOGETHER]
        with tempfile.TemporaryDirectory() as folder:
            paths = [str(Path(folder) / f"{number:05d}.onnx") for number in range(len(together))]
            for path, model in zip(paths, together):
                Path(path).write_bytes(model)
            code = OPENERS[backend] + LOOP
            command = [sys.executable, "-c", code, json.dumps(paths), str(passes // 2), str(config.threads)]
            environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
            first, second = (
                gated(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment).stdout))
                for _ in range(2)
            )
            found += [[*a, *b] for a, b in zip(first, second)]
    return found


def gated(measured: list[list[list[Timed]]]) -> list[list[list[Timed]]]:
    """Divide the gate's readings of one process by its clean level."""
    level_us = float(np.quantile([gate for network in measured for visit in network for _, gate in visit], COMMON))
    return [[[(us, gate / level_us) for us, gate in visit] for visit in network] for network in measured]


def models_of(space: SearchSpace, rows: np.ndarray, config: RunConfig) -> list[bytes]:
    """Export networks (n, d) as a user would."""
    return [graph_from_layers(space.layers(space.architecture(row)), batch=config.batch) for row in rows]


def latencies_us(measured: Sequence[list[list[Timed]]], process: int | None = None) -> np.ndarray:
    """Return each network's latency, (n,), by both processes or by one; not-a-number where it was never seen clean."""
    half = len(measured[0]) // 2
    passes = {None: slice(None), FIRST: slice(half), SECOND: slice(half, None)}[process]
    return np.array([latency_us([timed for visit in visits[passes] for timed in visit]) for visits in measured])


def latency_us(times: Sequence[Timed]) -> float:
    """Return the median of the clean times."""
    clean = [us for us, gate in times if gate <= CLEAN]
    return float(np.median(clean)) if len(clean) >= FEWEST else float("nan")
