"""How well are resolutions predicted that were never profiled? Five are, the networks of the twenty others are timed.

    python benchmarks/resolution_fidelity.py --backend onnxruntime [--keep FOLDER]
    python benchmarks/resolution_fidelity.py --kept FOLDER

The layers of an unprofiled resolution lie between measured sizes; how layers add up is fitted to the whole networks of
the five profiles. The truth is timed as in `latency_fidelity.py`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path

import numpy as np
from environment import print_environment
from latency_fidelity import line
from truth import FIRST, OPENERS, SECOND, latencies_us, measure_truth, models_of

import gnomon
from gnomon.lut import model_for_space
from gnomon.profilers.run_config import RunConfig
from gnomon.supernets import load_space
from gnomon.supernets.families.options import RESOLUTIONS

MEASURED = (128, 152, 176, 200, 224)
NETWORKS = 12  # whole ones in each profile
EACH = 3  # networks timed a resolution


def name_of(resolution: int) -> str:
    """Name the space."""
    return f"ofa_mobilenetv3:resolution={resolution}"


def main() -> None:
    """Measure or read, then compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", default="onnxruntime", choices=sorted(OPENERS))
    parser.add_argument("--passes", type=int, default=12)
    parser.add_argument("--keep", type=Path, help="folder to store profiles and truth in")
    parser.add_argument("--kept", type=Path, help="compare what is stored there")
    arguments = parser.parse_args()
    print_environment()
    folder = arguments.kept or arguments.keep or Path("resolutions")
    if not arguments.kept:
        measure(arguments.backend, folder, arguments.passes)
    compare(folder)


def measure(backend: str, folder: Path, passes: int) -> None:
    """Measure the five profiles, then networks of all other resolutions in one shuffled run."""
    folder.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    for resolution in MEASURED:
        gnomon.profile(name_of(resolution), backend, networks=NETWORKS, out=folder / f"{resolution}.jsonl", force=True)
    cost_s = time.monotonic() - start
    rng, config = np.random.default_rng(20262), RunConfig()
    asked = [
        (resolution, load_space(name_of(resolution)), row)
        for resolution in RESOLUTIONS
        if resolution not in MEASURED
        for row in load_space(name_of(resolution)).sample(EACH, rng)
    ]
    models = [model for _, space, row in asked for model in models_of(space, row[None], config)]
    truth = measure_truth(models, backend, config, passes=passes)
    networks = [[resolution, row.tolist()] for resolution, _, row in asked]
    (folder / "truth.json").write_text(json.dumps({"cost_s": cost_s, "networks": networks, "us": truth}))


def compare(folder: Path) -> None:
    """Print the errors, over all resolutions and by resolution."""
    profiles = [gnomon.load_profile(folder / f"{resolution}.jsonl") for resolution in MEASURED]
    content = json.loads((folder / "truth.json").read_text())
    truth = latencies_us(content["us"])
    estimates = [
        model_for_space(profiles, name_of(resolution)).predict([row]) for resolution, row in content["networks"]
    ]
    predicted = np.array([estimate.value_us[0] for estimate in estimates])
    inside = [e.low_us[0] <= us <= e.high_us[0] for e, us in zip(estimates, truth)]
    print(f"profiles  {profiles[0].header.backend}, {len(MEASURED)} resolutions, {content['cost_s']:.0f} s in all")
    print(f"truth     {len(truth)} networks of {len(truth) // EACH} resolutions never profiled")
    print(f"sources   {dict(Counter(str(estimate.source[0]) for estimate in estimates))}")
    print(f"{'':43s}{'bias %':>8s}{'MAPE %':>8s}{'<= 5 %':>8s}{'<= 10 %':>8s}{'Spearman':>10s}")
    first, second = (latencies_us(content["us"], process) for process in (FIRST, SECOND))
    print(f"{'repeats of the truth (noise)':43s}{line(first, second)}")
    print(f"{'Gnomon':43s}{line(predicted, truth)}")
    print(f"90 % intervals hold {100 * np.mean(inside):.0f} %")


if __name__ == "__main__":
    main()
