"""Does a model that stays compiled among many others run as fast as one compiled afresh? And how long is a warm-up?

    python benchmarks/kept_models.py --backend openvino

Layers and whole networks of `ofa_mobilenetv3` are timed through our own backend in shuffled passes: once as compiled in
the first pass and kept ever since, once compiled just now. Then whole networks, visited in turn, are timed inference by
inference.
"""

from __future__ import annotations

import argparse

import numpy as np
from environment import print_environment, spread

from gnomon.profilers.run_config import RunConfig
from gnomon.profilers.runtimes.registry import backend_names, load_backend
from gnomon.profilers.timing.measurement import undisturbed
from gnomon.profilers.timing.protocol import TimingPolicy, calibrate_loops, take_visit
from gnomon.supernets import load_space
from gnomon.supernets.graph import graph_from_layers

PASSES, NETWORKS, INFERENCES = 6, 30, 12


def main() -> None:
    """Print the ratio kept / fresh for layers and networks, and the course of a visit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", default="onnxruntime", choices=backend_names())
    arguments = parser.parse_args()
    print_environment()
    backend, config, policy = load_backend(arguments.backend), RunConfig(), TimingPolicy()
    space, rng = load_space("ofa_mobilenetv3"), np.random.default_rng(0)
    layers = {spec.key: graph_from_layers([spec]) for spec in space.unique_layers()}
    rows = space.sample(NETWORKS, rng)
    networks = {str(row): graph_from_layers(space.layers(space.architecture(row))) for row in rows}
    models = layers | networks
    kept = {key: backend.load(model, config) for key, model in models.items()}
    loops = {key: calibrate_loops(executable, policy) for key, executable in kept.items()}
    blocks: dict[str, dict[str, list[float]]] = {key: {"kept": [], "fresh": []} for key in models}
    for _ in range(PASSES):
        for key in rng.permutation(list(models)):
            blocks[key]["kept"] += take_visit(kept[key], policy, loops=loops[key])
            with backend.load(models[key], config) as fresh:
                blocks[key]["fresh"] += take_visit(fresh, policy, loops=loops[key])
    print(f"kept / fresh on {arguments.backend}, {len(kept)} models kept, {PASSES} visits each")
    for label, group in (("layers", layers), ("networks", networks)):
        ratios = [undisturbed(blocks[key]["kept"]) / undisturbed(blocks[key]["fresh"]) for key in group]
        print(f"  {label:9s} {spread(ratios)}")
    course = np.array([[[kept[key].elapsed_ns(1) for _ in range(INFERENCES)] for key in networks] for _ in range(8)])
    typical = np.quantile(course, 0.25, axis=0)
    relative = 100 * (typical / typical[:, INFERENCES // 2 :].mean(axis=1, keepdims=True) - 1).mean(axis=0)
    print("  inference of a visit, slower than the later half by: " + ", ".join(f"{x:+.1f} %" for x in relative))


if __name__ == "__main__":
    main()
