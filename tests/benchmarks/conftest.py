import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))  # scripts import each other as they do when they are started


@pytest.fixture(scope="session")
def macro_table(tmp_path_factory):
    """A table in the layout of NAS-Bench-Macro: more of a layer is better, with diminishing returns, and dearer."""
    lines = ["arch,top1_percent,flops"]
    for number in range(3**8):
        digits = [number // 3**place % 3 for place in range(7, -1, -1)]
        work = sum(digit * (2 + place % 3) for place, digit in enumerate(digits))
        useful = sum(digit**0.5 * (1 + (place * 7) % 5) for place, digit in enumerate(digits))
        lines.append(f"{''.join(map(str, digits))},{50 + 40 * useful / (useful + 8):.6f},{1e6 * (1 + work)}")
    path = tmp_path_factory.mktemp("bench") / "macro.csv"
    path.write_text("\n".join(lines) + "\n")
    return path
