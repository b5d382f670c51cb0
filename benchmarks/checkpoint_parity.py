"""Claim: a published Once-for-All checkpoint makes the networks here that it makes in its authors' package.

For random sub-networks of every family, the logits of our elastic network are compared with those of the package
`ofa` from PyPI, both loaded from one file in the published layout whose weights a formula makes. Batch norm uses the
batch's statistics on both sides. Printed: versions, and the largest difference relative to the largest logit.

    pip install --no-deps --target OFA ofa
    python benchmarks/checkpoint_parity.py --package OFA

`--write FILE` freezes some logits of the package, which the tests then hold ours against; the package's data loaders
and downloads, which need more packages, are not imported.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gnomon.supernets import load_space
from gnomon.supernets.checkpoints import load_checkpoint
from gnomon.supernets.checkpoints.testing import formula_images, formula_weights
from gnomon.supernets.elastic import ElasticNetwork

IMAGES, RESOLUTION, FROZEN_LOGITS = 4, 128, 5
MBCONV = {"dropout_rate": 0, "ks_list": [3, 5, 7], "expand_ratio_list": [3, 4, 6], "depth_list": [2, 3, 4]}
RESNET = {"dropout_rate": 0, "depth_list": [0, 1, 2], "expand_ratio_list": [0.2, 0.25, 0.35]}
FAMILIES = {
    "ofa_mobilenetv3": ("OFAMobileNetV3", MBCONV | {"width_mult": 1.0}),
    "ofa_mobilenetv3:width=1.2": ("OFAMobileNetV3", MBCONV | {"width_mult": 1.2}),
    "ofa_proxyless": ("OFAProxylessNASNets", MBCONV | {"width_mult": 1.3}),
    "ofa_resnet50": ("OFAResNets", RESNET | {"width_mult_list": [0.65, 0.8, 1.0]}),
}


def reference_networks(package: Path) -> Any:
    """Import the package's elastic networks, with nothing in place of its data loaders."""
    sys.path.insert(0, str(package))
    sys.modules["ofa.utils.my_dataloader"] = types.ModuleType("ofa.utils.my_dataloader")
    from ofa.imagenet_classification.elastic_nn import networks

    return networks


def settings(values: dict[str, Any]) -> dict[str, list[Any]]:
    """Return an architecture's values as the package's `set_active_subnet` takes them."""

    def of(word: str) -> list[Any]:
        return [value for name, value in values.items() if name.startswith(word)]

    if any(name.startswith("width") for name in values):
        return {"d": of("depth"), "e": of("expand"), "w": [(0.65, 0.8, 1.0).index(width) for width in of("width")]}
    return {"ks": of("kernel"), "e": of("expand"), "d": of("depth")}


def published_names(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return a state dict of the package as the published files spell it."""
    if not any("inverted_bottleneck" in name for name in state):
        return state
    return {re.sub(r"^(blocks\.\d+)\.conv\.", r"\1.mobile_inverted_conv.", name): t for name, t in state.items()}


def compare(name: str, networks: Any, n: int, seed: int) -> tuple[list[float], list[dict[str, Any]]]:
    """Return the relative difference of `n` sub-networks, and what of them a test can hold on to."""
    base, _, options = name.partition(":")
    space = load_space(f"{base}:{','.join(filter(None, [options, f'resolution={RESOLUTION}']))}")
    class_name, arguments = FAMILIES[name]
    theirs = getattr(networks, class_name)(**arguments)
    learned = {key: tuple(tensor.shape) for key, tensor in theirs.named_parameters()}
    published = published_names({key: torch.zeros(shape) for key, shape in learned.items()})
    weights = formula_weights({key: tuple(tensor.shape) for key, tensor in published.items()})
    theirs.load_state_dict(weights)
    theirs.train()
    ours = ElasticNetwork(space)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "published"
        torch.save({"state_dict": weights}, path)
        load_checkpoint(ours, path)
    images = formula_images(IMAGES, space.input_shape)
    differences, frozen = [], []
    ends = [[0] * len(space.choices), [int(radix) - 1 for radix in space.radices]]
    for row in [*space.canonical(np.array(ends)), *space.sample(n, np.random.default_rng(seed))]:
        architecture = space.architecture(row)
        theirs.set_active_subnet(**settings(space.values(architecture)))
        with torch.no_grad():
            expected, found = theirs(images), ours(images, architecture)
        differences.append(float((expected - found).abs().max() / expected.abs().max()))
        logits = [[round(float(value), 6) for value in line[:FROZEN_LOGITS]] for line in expected[:2]]
        frozen.append({"indices": list(architecture.indices), "logits": logits})
    return differences, frozen


def main() -> None:
    """Compare all families and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", type=Path, required=True, help="folder that pip's --target wrote the package to")
    parser.add_argument("--subnets", type=int, default=8, help="random sub-networks a family, beside both ends")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", type=Path, help="JSON file for the package's logits")
    options = parser.parse_args()
    networks = reference_networks(options.package)
    versions = sorted(path.name.split("-")[1].removesuffix(".dist") for path in options.package.glob("ofa-*.dist-info"))
    version = versions[0].removesuffix(".dist-info") if versions else "unknown"
    print(f"ofa {version}, torch {torch.__version__}, Python {platform.python_version()}, {platform.machine()}")
    frozen = {}
    for name in FAMILIES:
        differences, frozen[name] = compare(name, networks, options.subnets, options.seed)
        median = float(np.median(differences))
        print(f"{name:26} n={len(differences):2}  largest {max(differences):.1e}  median {median:.1e} of the logits")
    if options.write:
        content = {"package": f"ofa {version}", "torch": torch.__version__, "resolution": RESOLUTION, "images": IMAGES}
        kept = {name: rows[:4] for name, rows in frozen.items()}
        options.write.write_text(json.dumps(content | {"subnetworks": kept}, indent=1) + "\n")


if __name__ == "__main__":
    main()
