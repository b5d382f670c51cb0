"""Is a space's latency better told by the kernels that the runtime makes of its networks than by its layers?

    python benchmarks/kernels_of_space.py fashion_mnist --backend onnxruntime --out folder [--networks 24]

Two runs, one after the other: a hardware profile of the space's layers and some networks, and a kernel profile of the
kernels of the same networks. Either is judged by networks left out of its fit, all of whose layers or kernels are
measured; the kernel profile also with the kernels predicted that a network alone has. Profiles in --out are read again.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from environment import print_environment

import gnomon
from gnomon.lut.kernels.composition import Composition
from gnomon.lut.kernels.graph.named import named
from gnomon.lut.kernels.measuring.build import KernelRequest, build_kernel_profile
from gnomon.lut.kernels.measuring.graphs import graphs_of
from gnomon.lut.kernels.profile_file.profile import load_kernel_profile
from gnomon.lut.kernels.regression import KernelRegression
from gnomon.lut.latency_model.sampling import networks_for
from gnomon.profilers import RunConfig, TimingPolicy
from gnomon.profilers.transports.local import LocalDevice
from gnomon.supernets import SearchSpace, load_space
from gnomon.supernets.graph import models_from_architecture

RESAMPLED = 2_000


def main() -> None:
    """Measure or read both profiles, and compare them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("space")
    parser.add_argument("--backend", default="onnxruntime")
    parser.add_argument("--out", type=Path, required=True, help="folder of the two profiles")
    parser.add_argument("--networks", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=150.0, help="no further visits after this, in each run")
    arguments = parser.parse_args()
    print_environment()
    space = load_space(arguments.space)
    policy = TimingPolicy(min_passes=4, processes=2, time_cap_s=arguments.seconds)
    by_layer, by_kernel = (
        arguments.out / f"{arguments.space}-{arguments.backend}.{of}.jsonl" for of in ("layers", "kernels")
    )
    if not by_layer.exists():
        gnomon.profile(arguments.space, arguments.backend, out=by_layer, networks=arguments.networks, policy=policy)
    layers = gnomon.load_profile(by_layer)
    print(f"layers   {len(layers.table.measurements)} layers, {layers.header.seconds:.0f} s")
    print(f"         {layers.latency.report.sentence()}")
    models = whole_networks(space, arguments.networks)
    request = KernelRequest(arguments.backend, networks=0, further=models, policy=policy)
    kernels = load_kernel_profile(by_kernel) if by_kernel.exists() else build_kernel_profile(request, by_kernel)
    composition = Composition(kernels, KernelRegression(kernels))
    print(f"kernels  {len(kernels.kernels)} kernels, {kernels.header.seconds:.0f} s; {composition.terms.sentence()}")
    print(f"         {composition.report.sentence()}")
    errors = np.abs(np.log(1 - composition.chosen.honest_errors[0]))  # of networks that had no part in fit and choice
    rng = np.random.default_rng(0)
    means = [np.mean(rng.choice(errors, len(errors))) for _ in range(RESAMPLED)]
    low, high = (100 * np.quantile(means, share) for share in (0.05, 0.95))
    new = np.abs(np.log(composition.held_out_new / composition.truth_us))
    own = np.mean([len(errors) for errors in composition.regression.held_out.values()])
    print(f"         90 % of resampled networks {low:.1f} to {high:.1f} %; with {own:.1f} kernels a network, which it")
    print(f"         alone has, predicted: {100 * np.mean(new):.1f} %")
    began = time.perf_counter()
    graphs_of(models, arguments.backend, RunConfig(), LocalDevice())
    print(f"asking the runtime for the graphs of {len(models)} networks: {time.perf_counter() - began:.1f} s")


def whole_networks(space: SearchSpace, count: int) -> dict[str, bytes]:
    """Return networks as a profile samples them, by id."""
    found = {}
    for row in networks_for(space, count, np.random.default_rng(0)):
        architecture = space.architecture(row)
        found[architecture.id] = named(models_from_architecture(space, architecture)[0].model)
    return found


if __name__ == "__main__":
    main()
