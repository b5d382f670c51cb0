"""Is a profile's prediction what a user will see? Fresh whole networks, timed by other code in another process.

    python benchmarks/latency_fidelity.py --space ofa_mobilenetv3 --backend onnxruntime --train 200 [--keep FOLDER]
    python benchmarks/latency_fidelity.py --kept FOLDER

The profile is measured here, now, and the truth (`truth.py`) right after it. Beside random networks stand front-like
ones: those that an evolutionary search against this very profile likes best, where errors of the table are most often
exploited. With --train, the anchors (`fidelity_anchors.py`) are fitted to as many measured networks; without, to those
of the profile. --keep stores what was measured, --kept reads it again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from environment import print_environment
from fidelity_anchors import macs_line_us, one_hot_ridge_us, physical_ridge_us, plain_sum_us
from truth import FIRST, OPENERS, SECOND, latencies_us, measure_truth, models_of

import gnomon
from gnomon.lut import HardwareProfile
from gnomon.lut.latency_model.verification import share_within, spearman
from gnomon.profilers.run_config import RunConfig
from gnomon.search.evolution.evolve import nsga2
from gnomon.search.fronts.pareto import non_dominated


def main() -> None:
    """Measure or read, then compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", default="fashion_mnist")
    parser.add_argument("--backend", default="onnxruntime", choices=sorted(OPENERS))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--random", type=int, default=100, help="random networks")
    parser.add_argument("--front", type=int, default=20, help="front-like networks")
    parser.add_argument("--train", type=int, default=0, help="networks measured for the anchors")
    parser.add_argument("--passes", type=int, default=16)
    parser.add_argument("--keep", type=Path, help="folder to store profile and truth in")
    parser.add_argument("--kept", type=Path, help="compare what is stored there")
    arguments = parser.parse_args()
    print_environment()
    folder = arguments.kept or arguments.keep or Path("fidelity")
    if not arguments.kept:
        measure(arguments, folder)
    compare(gnomon.load_profile(folder / "profile.jsonl"), json.loads((folder / "truth.json").read_text()))


def measure(arguments: argparse.Namespace, folder: Path) -> None:
    """Measure the profile, then the truth, and store both."""
    folder.mkdir(parents=True, exist_ok=True)
    config = RunConfig(threads=arguments.threads, batch=arguments.batch)
    start = time.monotonic()
    profile = gnomon.profile(
        arguments.space,
        arguments.backend,
        threads=config.threads,
        batch=config.batch,
        out=folder / "profile.jsonl",
        force=True,
    )
    cost_s = time.monotonic() - start
    rng = np.random.default_rng(20261)
    known = {network.indices for network in profile.networks}
    n = arguments.random + arguments.train
    fresh = np.array([row for row in profile.space.sample(2 * n + 50, rng) if tuple(row) not in known][:n])
    groups = {
        "random": fresh[: arguments.random],
        "front": front_like(profile, arguments.front, rng),
        "train": fresh[arguments.random :],
    }
    tested = np.concatenate([groups["random"], groups["front"]])
    models = models_of(profile.space, tested, config)
    truth = measure_truth(models, arguments.backend, config, passes=arguments.passes)
    start = time.monotonic()
    models = models_of(profile.space, groups["train"], config)
    trained = measure_truth(models, arguments.backend, config, passes=arguments.passes // 4)
    train_s = time.monotonic() - start
    content = {
        "cost_s": cost_s,
        "train_s": train_s,
        "indices": {name: rows.tolist() for name, rows in groups.items()},
        "us": {"random": truth[: arguments.random], "front": truth[arguments.random :], "train": trained},
    }
    (folder / "truth.json").write_text(json.dumps(content))


def front_like(profile: HardwareProfile, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return up to `n` networks of the front of predicted latency against capacity (log MACs + log params), (n, d)."""
    space, model = profile.space, profile.latency

    def evaluate(rows: np.ndarray) -> np.ndarray:
        return np.column_stack([model.value_us(rows), np.log(space.macs(rows)) + np.log(space.params(rows))])

    none = np.zeros((0, len(space.choices)), dtype=np.int64)
    rows, values = nsga2(space, evaluate, ("min", "max"), population=60, evaluations=6000, seed_indices=none, rng=rng)
    front = np.flatnonzero(non_dominated(values, ("min", "max")))
    ordered = rows[front[np.argsort(values[front, 0])]]
    return ordered[np.unique(np.linspace(0, len(ordered) - 1, min(n, len(ordered))).round().astype(int))]


def compare(profile: HardwareProfile, content: dict) -> None:
    """Print one line a predictor and group of networks."""
    header = profile.header
    rows = {name: np.array(found, dtype=np.int64) for name, found in content["indices"].items() if found}
    truth = {name: latencies_us(content["us"][name]) for name in rows}
    for name, us in truth.items():
        seen = np.flatnonzero(np.isfinite(us))
        if len(seen) < len(us):
            print(f"truth     {len(us) - len(seen)} of {len(us)} {name} networks never seen undisturbed: left out")
        rows[name], truth[name] = rows[name][seen], us[seen]
        content["us"][name] = [content["us"][name][position] for position in seen]
    tested = [name for name in ("random", "front") if name in rows]
    groups = {name: (rows[name], truth[name], content["us"][name]) for name in tested}
    groups["all"] = (
        np.concatenate([rows[name] for name in tested]),
        np.concatenate([truth[name] for name in tested]),
        [network for name in tested for network in content["us"][name]],
    )
    config = f"{header.config.threads} threads, batch {header.config.batch}"
    print(f"profile   {header.space} on {header.backend}, {config}: {profile.latency.report.sentence()}")
    print(f"cost      {content['cost_s']:.0f} s in all, {header.seconds:.0f} s of it compiling and measuring")
    if "train" in rows:
        print(f"anchors   {len(rows['train'])} networks measured for them in {content['train_s']:.0f} s")
    print(f"model     {profile.latency.report.model}; quality {profile.quality}")
    print(f"{'networks':9s}{'predictor':34s}{'bias %':>8s}{'MAPE %':>8s}{'<= 5 %':>8s}{'<= 10 %':>8s}{'Spearman':>10s}")
    for name, (indices, us, measured) in groups.items():
        first, second = latencies_us(measured, FIRST), latencies_us(measured, SECOND)
        lines = {"repeats of the truth (noise)": (first, second)}
        lines |= {label: (predicted, us) for label, predicted in predictions(profile, rows, truth, indices)}
        for label, (predicted, true) in lines.items():
            print(f"{name:9s}{label:34s}{line(predicted, true)}")
        estimate = profile.latency.predict(indices)
        inside = np.mean((estimate.low_us <= us) & (us <= estimate.high_us))
        print(f"{name:9s}90 % intervals hold {100 * inside:.0f} % of {len(us)} ({us.min():.0f} to {us.max():.0f} us)")


def predictions(
    profile: HardwareProfile, rows: dict[str, np.ndarray], truth: dict[str, np.ndarray], indices: np.ndarray
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each predictor's name and latencies, (n,)."""
    space = profile.space
    yield "Gnomon", profile.latency.value_us(indices)
    yield "plain sum of layers", plain_sum_us(profile, indices)
    known = rows.get("train", np.array([network.indices for network in profile.networks]))
    known_us = truth.get("train", np.array([m.value_us for m in profile.network_measurements]))
    yield f"line over MACs, {len(known)} networks", macs_line_us(space, known, known_us, indices)
    for n in sorted({min(n, len(known)) for n in (40, 100, 200)}):
        yield f"one-hot ridge, {n} networks", one_hot_ridge_us(space, known[:n], known_us[:n], indices)
        yield f"masked physical ridge, {n} networks", physical_ridge_us(space, known[:n], known_us[:n], indices)


def line(predicted: np.ndarray, true: np.ndarray) -> str:
    """Format the errors."""
    relative = 100 * (predicted - true) / true
    shares = f"{share_within(relative, 5):8.0f}{share_within(relative, 10):8.0f}"
    rank = spearman(predicted, true)
    return f"{relative.mean():8.1f}{np.abs(relative).mean():8.2f}{shares}{rank or np.nan:10.3f}"


if __name__ == "__main__":
    main()
