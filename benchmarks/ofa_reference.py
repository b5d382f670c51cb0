"""Do our parameter and MAC counts of Once-for-All MobileNetV3 equal the published ones, row by row?

    python benchmarks/ofa_reference.py --bench PATH/ofa_mbv3_top1.csv

The file holds the search histories that IntelLabs/DyNAS-T published: genes, params, MACs of every sub-network.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from environment import print_environment

from gnomon.supernets import load_space


def main() -> None:
    """Compare every row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", type=Path, required=True, help="ofa_mbv3_top1.csv")
    path = parser.parse_args().bench
    print_environment()
    space = load_space("ofa_mobilenetv3")
    rows = list(csv.DictReader(path.read_text().splitlines()))
    genes = [[int(digit) for digit in row["kernel"] + row["expand"] + row["depth"]] for row in rows]
    indices = np.array([[c.options.index(value) for c, value in zip(space.choices, row)] for row in genes])
    for name, ours in (("params", space.params(indices)), ("macs", space.macs(indices))):
        difference = np.abs(ours - [float(row[name]) for row in rows]).max()
        print(f"{name:8s} n = {len(rows)}, largest difference {difference:.0f}")
    print(f"distinct canonical sub-networks: {len(np.unique(space.canonical(indices), axis=0))}")


if __name__ == "__main__":
    main()
