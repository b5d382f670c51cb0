"""What does a pause before each inference cost? Networks of all sizes, in the hot loop and one inference every period.

    python benchmarks/pauses.py --space fashion_mnist --backend onnxruntime --period-ms 33

Networks from the smallest to the largest (by MACs, n of them) are timed as `gnomon finish --period` times finalists.
The factor is that of each network, with its 95 % interval; then the median over all, and by how many microseconds an
inference is longer, which tells whether a pause costs a share of the latency or a fixed time. Load and first inference
are medians of fresh loads in a process that had loaded the runtime and other models before.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from environment import print_environment, spread

from gnomon.lut import common_factor, network_parts, pause_factor, timed_model
from gnomon.profilers import PlannedModel, RunConfig, TimingPolicy, read_results, run_plan_locally, write_plan
from gnomon.profilers.timing.application import Application
from gnomon.supernets import load_space


def main() -> None:
    """Time the networks and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", default="fashion_mnist")
    parser.add_argument("--backend", default="onnxruntime")
    parser.add_argument("--period-ms", type=float, default=33.0)
    parser.add_argument("--networks", type=int, default=8)
    parser.add_argument("--time-cap-s", type=float, default=120.0, help="of the hot loop")
    arguments = parser.parse_args()
    print_environment()
    space, config = load_space(arguments.space), RunConfig()
    drawn = space.sample(200, np.random.default_rng(0))
    ordered = drawn[np.argsort(space.macs(drawn))]
    rows = ordered[np.linspace(0, len(ordered) - 1, arguments.networks).astype(int)]
    architectures = [space.architecture(row) for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        plan, results = Path(folder) / "plan", Path(folder) / "results.jsonl"
        write_plan(
            plan,
            backend=arguments.backend,
            config=config,
            policy=TimingPolicy(time_cap_s=arguments.time_cap_s),
            models=[PlannedModel(a.id, "network", timed_model(network_parts(space, a, config))) for a in architectures],
            application=Application(arguments.period_ms * 1e3),
        )
        run_plan_locally(plan, results)
        found = read_results(results)
    print(f"{arguments.space} on {arguments.backend}, one inference every {arguments.period_ms:g} ms")
    print(
        "network   hot loop us   with pauses us   factor (95 %)             longer by us   load ms   first us   clean"
    )
    factors, longer_us = [], []
    for architecture in architectures:
        hot, seen = found.measurements[architecture.id], found.applications[architecture.id]
        assert seen.paced is not None
        factor = pause_factor(hot, seen.paced)
        factors.append(factor)
        longer_us.append(seen.paced.value_us - hot.value_us)
        print(
            f"{architecture.id}  {hot.value_us:11.1f}  {seen.paced.value_us:15.1f}   {factor.ratio:6.3f} "
            f"({factor.low:.3f} to {factor.high:.3f})  {longer_us[-1]:15.1f}  {seen.typical_load_ms:8.1f}  "
            f"{seen.typical_first_us:9.1f}   {'yes' if hot.is_undisturbed and seen.paced.is_undisturbed else 'no'}"
        )
    common = common_factor(factors)
    print(f"factor    median {common.ratio:.3f} (95 % in {common.low:.3f} to {common.high:.3f}), of {common.models}")
    print(f"longer by {spread(longer_us)} us")
    if found.contention is not None:
        print(f"core      shared {found.contention.time_share:.0%} of the time, x{found.contention.slow_down:.2f}")


if __name__ == "__main__":
    main()
