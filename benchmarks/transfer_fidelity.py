"""How far do ten measured networks carry a profile to another runtime, thread count or batch?

    python benchmarks/transfer_fidelity.py KEPT [KEPT ...]

Each KEPT is a folder that `latency_fidelity.py --keep` made on this machine: a profile of one configuration and the
truth of fresh networks. For every pair of them of one space, the source's layers are corrected by ten networks of the
target's profile, as `gnomon profile --from SOURCE --samples 10` does, and held against the target's truth. Beside it:
the source taken as it is, scaled to the same ten, and the ten alone, without a source.
"""

from __future__ import annotations

import argparse
import json
from itertools import permutations
from pathlib import Path

import numpy as np
from environment import print_environment
from truth import latencies_us

import gnomon
from gnomon.lut import HardwareProfile, LatencyModel, LatencyTable
from gnomon.lut.latency_model.table import predicted_from
from gnomon.lut.latency_model.verification import mape_percent, spearman

SAMPLES = 10


def main() -> None:
    """Compare every pair."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kept", type=Path, nargs="+")
    arguments = parser.parse_args()
    print_environment()
    profiles = {folder: gnomon.load_profile(folder / "profile.jsonl") for folder in arguments.kept}
    found = []
    print(
        f"{'source':22s}{'target':22s}{'':>4s}{'MAPE %':>8s}{'Spearman':>10s}{'scaled':>9s}{'ten alone':>11s}  (MAPE %)"
    )
    for source, target in permutations(arguments.kept, 2):
        if profiles[source].header.space == profiles[target].header.space:
            found.append(compare(profiles[source], profiles[target], target))
    mape, rank = np.array(found).T
    print(f"median of {len(found)} pairs: MAPE {np.median(mape):.1f} %, Spearman {np.median(rank):.3f}")
    print(f"worst: MAPE {mape.max():.1f} %, Spearman {rank.min():.3f}")


def compare(source: HardwareProfile, target: HardwareProfile, folder: Path) -> tuple[float, float]:
    """Print one pair and return MAPE and Spearman."""
    content, space = json.loads((folder / "truth.json").read_text()), target.space
    rows = np.array(content["indices"]["random"])
    truth = latencies_us(content["us"]["random"])
    chosen = np.linspace(0, len(target.networks) - 1, SAMPLES).round().astype(int)
    ordered = np.argsort(space.macs([network.indices for network in target.networks]))[chosen]
    indices = [target.networks[i].indices for i in ordered]
    measured = [target.network_measurements[i] for i in ordered]
    priors = predicted_from({spec.key: source.table.value_us(spec) for spec in space.unique_layers()})
    model = LatencyModel.fit(space, LatencyTable({}, {}, priors), indices, measured)
    alone = LatencyModel.fit(space, LatencyTable({}, {}), indices, measured)
    sample_us = np.array([measurement.value_us for measurement in measured])
    scale = np.median(sample_us / source.latency.value_us(indices))
    predicted = model.value_us(rows)
    error, rank = mape_percent(predicted, truth), spearman(predicted, truth) or np.nan
    scaled = mape_percent(scale * source.latency.value_us(rows), truth)
    only = mape_percent(alone.value_us(rows), truth)
    print(f"{label(source):22s}{label(target):22s}{SAMPLES:4d}{error:8.1f}{rank:10.3f}{scaled:9.1f}{only:11.1f}")
    return error, rank


def label(profile: HardwareProfile) -> str:
    """Name a configuration."""
    config = profile.header.config
    return f"{profile.header.backend} t{config.threads} b{config.batch}"


if __name__ == "__main__":
    main()
