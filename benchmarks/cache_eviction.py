"""From which size does a model evict its own weights, and what does that take?

    python benchmarks/cache_eviction.py [--backend openvino] [--seconds 12]

Chains of products of a vector with 256 KiB of weights each, of one to sixty-four products. While all weights stay in
a cache, each further product takes what the second takes; what a chain takes beyond that is what fetching weights
again takes. The share evicted is that, a product, in units of what it takes in the longest but two chains: longer ones
leave the next cache too. Kernels alone find their weights in the cache: it is what their sum misses (`terms.py`).
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from environment import print_environment
from onnx import TensorProto, helper, numpy_helper

from gnomon.lut.kernels.graph.named import named
from gnomon.profilers import RunConfig, load_backend

WIDTH = 256  # 256 x 256 fp32 numbers are 256 KiB
CHAINS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 24, 32, 64)
WARM = 3  # the longest chain that surely stays in the cache
BLOCK_NS = 4e5
QUIET = 0.1  # the quantile of a chain's blocks that is its latency


def main() -> None:
    """Time the chains in turn, and print what each takes beyond its products."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", default="openvino")
    parser.add_argument("--seconds", type=float, default=12.0)
    arguments = parser.parse_args()
    print_environment()
    backend = load_backend(arguments.backend)
    chains = {length: backend.load(chain(length), RunConfig()) for length in CHAINS}
    loops = {}
    for length, executable in chains.items():
        executable.elapsed_ns(WARM)
        loops[length] = max(2, int(BLOCK_NS / executable.elapsed_ns(1)))
    blocks: dict[int, list[float]] = {length: [] for length in CHAINS}
    end = time.perf_counter() + arguments.seconds
    while time.perf_counter() < end:
        for length, executable in chains.items():
            executable.elapsed_ns(2)
            blocks[length].append(executable.elapsed_ns(loops[length]) / loops[length] / 1e3)
    us = {length: float(np.quantile(taken, QUIET)) for length, taken in blocks.items()}
    warm_us = (us[WARM] - us[1]) / (WARM - 1)
    beyond_us = {length: (us[length] - us[1]) / (length - 1) - warm_us for length in CHAINS[1:]}
    whole_us = beyond_us[CHAINS[-3]]
    print(f"{backend.name} {backend.version()}, {len(blocks[1])} blocks a chain")
    print(f"{'MiB':>6s} {'us':>8s} {'beyond, us a MiB':>17s} {'share':>6s}")
    for length, beyond in beyond_us.items():
        mib = length * WIDTH * WIDTH * 4 / 2**20
        print(f"{mib:6.2f} {us[length]:8.1f} {beyond * length / mib:17.1f} {beyond / whole_us:6.2f}")


def chain(length: int) -> bytes:
    """Return a model of so many products, each with weights of its own."""
    rng = np.random.default_rng(0)
    nodes, weights = [], []
    for at in range(length):
        values = rng.normal(size=(WIDTH, WIDTH)).astype(np.float32) / WIDTH**0.5
        weights.append(numpy_helper.from_array(values, f"w{at}"))
        nodes.append(helper.make_node("MatMul", [f"x{at}", f"w{at}"], [f"m{at}"]))
        nodes.append(helper.make_node("Tanh" if at % 2 else "Relu", [f"m{at}"], [f"x{at + 1}"]))
    ends = [helper.make_tensor_value_info(f"x{at}", TensorProto.FLOAT, [1, WIDTH]) for at in (0, length)]
    graph = helper.make_graph(nodes, "chain", ends[:1], ends[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return named(model.SerializeToString())


if __name__ == "__main__":
    main()
