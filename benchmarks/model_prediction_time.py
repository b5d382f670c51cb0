"""How long does predicting one model from a kernel profile take, and which part of it?

    python benchmarks/model_prediction_time.py laptop.kernels.jsonl detector.onnx [--shape images=1x3x320x320]

Every repeat is a new process, as a user has it: import, reading the profile, and then the prediction, in which the
runtime compiles the model in a process of its own while the profile's regressions are fitted. Beside that, what asking
the runtime and fitting take alone. With --sample what a profile has of a test bed (`any_model.py`) is left out, so that
the model's kernels are predicted. Seconds of the clock, and of processors (children included): on a machine that others
compute on, the clock says how long those ran.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from environment import print_environment, spread

STEPS = ("import", "read the profile", "ask the runtime alone", "fit alone", "predict")


def main() -> None:
    """Repeat in new processes and print each step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("profile", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--shape", action="append", default=[])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--sample", action="store_true")
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.once:
        print(json.dumps(once(arguments.profile, arguments.model, arguments.shape, is_sample=arguments.sample)))
        return
    print_environment()
    found = []
    for _ in range(arguments.repeats):
        ran = subprocess.run([sys.executable, *sys.argv, "--once"], check=True, capture_output=True, text=True)
        found.append(json.loads(ran.stdout.splitlines()[-1]))
    print(
        f"{arguments.profile.name}: {found[0]['kernels']} kernels; {arguments.model.name}: {found[0]['model kernels']}"
    )
    for at, of in enumerate(("clock", "processors")):
        seconds = np.array([[one[step][at] for step in STEPS] for one in found])
        for step, column in zip(STEPS, seconds.T):
            print(f"{of:10s} {step:24s} seconds: {spread(column)}")
        print(f"{of:10s} {'in all':24s} seconds: {spread(seconds[:, [0, 1, 4]].sum(axis=1))}")


def now() -> tuple[float, float]:
    """Return seconds of the clock, and of the processors that this process and its children took."""
    return time.perf_counter(), sum(os.times()[:4])


def once(path: Path, model: Path, shapes: list[str], *, is_sample: bool) -> dict[str, Any]:
    """Return the seconds of each step, of the clock and of processors."""
    started = [now()]
    from any_model import sample_of

    from gnomon.lut.kernels.composition import Composition
    from gnomon.lut.kernels.graph.asked import shapes_from_text
    from gnomon.lut.kernels.predict import graph_for, predict_file
    from gnomon.lut.kernels.profile_file.profile import load_kernel_profile
    from gnomon.lut.kernels.regression import KernelRegression

    sizes = shapes_from_text(tuple(shapes))
    started.append(now())
    profile = load_kernel_profile(path)
    started.append(now())
    kept = sample_of(profile) if is_sample else profile
    graph_for(kept, model, sizes)
    started.append(now())
    composition = Composition(kept, KernelRegression(kept))
    composition.fit()
    started.append(now())
    found = predict_file(kept, model, sizes)
    started.append(now())
    return {
        **dict(zip(STEPS, np.diff(started, axis=0).tolist())),
        "kernels": len(kept.kernels),
        "model kernels": len(found.lines),
    }


if __name__ == "__main__":
    main()
