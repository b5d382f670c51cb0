"""Validations a second against workers on Ray: how much of what workers could do does a search get?

    python benchmarks/scaling.py [--workers 1,2,4,8] [--seconds 1.0] [--tactics random,gnomon] [--repeats 3]

A validation sleeps so many seconds, so that workers do not compete for the cores of this machine: what is measured is
what Ray, the tactic and the journal cost. A rate is of the evaluations from the second for each worker on, when all
have begun, to the last one that was asked for with all workers busy. Efficiency is the rate over workers / seconds.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import tempfile
from pathlib import Path

import numpy as np
from environment import print_environment, spread

from gnomon.search import Run, SearchConfig, Workers, search_in_context
from gnomon.search.executors.ray import ray_quietly
from gnomon.search.testing.contracts import fake_context

A_WORKER = 10  # validations


def main() -> None:
    """Print a line for each tactic and number of workers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", default="1,2,4,8")
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--tactics", default="random,gnomon")
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    counts = [int(count) for count in asked.workers.split(",")]
    print_environment()
    ray = ray_quietly()
    ray.init(num_cpus=max(counts), include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    print(f"ray       {ray.__version__}; a validation sleeps {asked.seconds:g} s, {A_WORKER} for each worker")
    for tactic in asked.tactics.split(","):
        for count in counts:
            rates = [rate_of(run_of(tactic, count, asked.seconds, seed), count) for seed in range(asked.repeats)]
            efficiency = 100 * float(np.median(rates)) * asked.seconds / count
            print(
                f"{tactic:<8} {count:>3} workers  {spread(rates)} validations a second, efficiency {efficiency:.0f} %"
            )
    ray.shutdown()


def run_of(tactic: str, workers: int, seconds: float, seed: int) -> Run:
    """Return a run of sleeping validations on so many workers."""
    config = SearchConfig(
        space="ofa_mobilenetv3",
        objectives=("accuracy", "macs"),
        tactic=tactic,
        budget=max(A_WORKER * workers, 20),
        partial_share=1.0,
        seed=seed,
    )
    context = fake_context(config.space, seconds=seconds)
    with tempfile.TemporaryDirectory() as folder:
        return search_in_context(context, config, Path(folder) / "run", provenance={}, workers=Workers("ray", workers))


def rate_of(run: Run, workers: int) -> float:
    """Return evaluations a second while all workers were busy."""
    ends_s = [evaluation.elapsed_s for evaluation in run.evaluations]
    first, last = 2 * workers - 1, len(ends_s) - workers
    return (last - first) / (ends_s[last] - ends_s[first])


if __name__ == "__main__":
    main()
