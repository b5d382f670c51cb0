"""Does a search stay as fast, and as small, when it is long: rate and memory up to 10,000 validations?

    python benchmarks/long_search.py [--landscape cells] [--data FILE] [--tactics random,gnomon] [--population 4]
        [--at 500,1000,2000,5000,10000] [--limit-s 3600] [--place /dev/shm]

Validations are looked up in a landscape of `search_efficiency.py`, so what is timed is the search itself: its tactic,
session, journal and hypervolume, which is asked for after each validation as a progress line does. Of each stage, from
the size before it to its own, it prints milliseconds of processor time a validation, milliseconds on the wall where the
journal is synced to disk line by line, and the resident memory at its end.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from environment import print_environment
from search_harness.driver import LANDSCAPES, landscape_of
from search_harness.landscape import EXACT, Landscape, objectives_of

from gnomon.search import SearchConfig
from gnomon.search.executors.local import Local
from gnomon.search.measuring import Measuring, for_workers
from gnomon.search.session import Session


def memory_mib() -> float:
    """Return the resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def timed(landscape: Landscape, config: SearchConfig, sizes: Sequence[int], limit_s: float, folder: Path) -> None:
    """Search, and print each stage when it ends; stop after the first one that ends later than the limit."""
    objectives = objectives_of(landscape, EXACT, config.seed)
    session = Session(landscape.space, config, folder, objectives=objectives, provenance={})
    measuring = Measuring(session, Local(for_workers(objectives)), objectives)
    made, left, begun = 0, list(sizes), time.monotonic()
    cpu_s, wall_s = time.process_time(), time.monotonic()
    while left and measuring.next() is not None:
        session.volume()
        made += 1
        if session.cost < left[0]:
            continue
        cpu_ms, wall_ms = 1e3 * (time.process_time() - cpu_s), 1e3 * (time.monotonic() - wall_s)
        print(
            f"{config.tactic:>12}, population {config.population}: up to {left.pop(0):6d} validations "
            f"{cpu_ms / made:8.2f} ms each of processor time, {wall_ms / made:8.2f} ms on the wall; "
            f"resident {memory_mib():.0f} MiB",
            flush=True,
        )
        if time.monotonic() - begun > limit_s:
            print(f"{config.tactic:>12}: stopped after {limit_s:g} s before {left or 'nothing'}")
            break
        made, cpu_s, wall_s = 0, time.process_time(), time.monotonic()
    session.close()


def main() -> None:
    """Print the stages of each tactic."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--landscape", choices=LANDSCAPES, default="cells")
    parser.add_argument("--data", type=Path, default=Path("none"), help="the landscape's file; cells needs none")
    parser.add_argument("--tactics", default="random,gnomon", help="commas between")
    parser.add_argument("--population", type=int, default=4, help="full validations a round")
    parser.add_argument("--at", default="500,1000,2000,5000,10000", help="sizes at which a stage ends")
    parser.add_argument("--limit-s", type=float, default=3600.0, help="of each tactic; checked when a stage ends")
    parser.add_argument("--place", type=Path, help="folder for the runs; default: the system's temporary folder")
    options = parser.parse_args()
    sizes = [int(size) for size in options.at.split(",")]
    landscape = landscape_of(options.landscape, options.data)
    print_environment()
    print(f"landscape {landscape.name}, {landscape.space.size:.4g} settings")
    for tactic in options.tactics.split(","):
        worst_top1, worst_price = landscape.reference
        config = SearchConfig(
            space=landscape.space.name,
            objectives=("accuracy", landscape.price_name),
            tactic=tactic,
            population=options.population,
            budget=sizes[-1],
            reference={"accuracy": worst_top1, landscape.price_name: worst_price},
        )
        with tempfile.TemporaryDirectory(dir=options.place) as folder:
            timed(landscape, config, sizes, options.limit_s, Path(folder) / "run")


if __name__ == "__main__":
    main()
