"""How long does a validation take beside other work, by how torch's threads wait and how many there are?

    python benchmarks/busy_validation.py --burners 2 --rounds 5

`gnomon evaluate` runs beside so many processes that compute without end. Three ways take turns, in an order shuffled
every round, so that slow moments of the machine hit all of them: "spinning" is what OpenMP does by itself, with a
thread a CPU; "alone" is one thread, which waits for no other; "chosen" is what `gnomon evaluate` chooses when nothing
is set: a thread a CPU, asleep while they wait. Seconds are those of the whole command; ratios compare two ways within a
round. What else runs on the machine meanwhile is in the figures, and printed as its load before and after.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from environment import print_environment, spread

from gnomon.supernets.threads import COUNT_VARIABLES, WAIT_VARIABLES

SETTLE_S = 20.0  # until the load average tells of the burners
BURN = "import numpy\nvalues = numpy.ones((256, 256))\nwhile True:\n    values = values @ values / 256"
CPUS = str(len(os.sched_getaffinity(0)))
WAYS = {
    "spinning": {"OMP_NUM_THREADS": CPUS, "GOMP_SPINCOUNT": "300000"},
    "alone": {"OMP_NUM_THREADS": "1"},
    "chosen": {},
}


def main() -> None:
    """Time the ways in turns and print seconds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", default="fashion_mnist")
    parser.add_argument("--arch", default="largest")
    parser.add_argument("--burners", type=int, default=int(CPUS), help="processes that compute meanwhile")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print_environment()
    print(f"load      {os.getloadavg()[0]:.2f} before, on {CPUS} CPUs; {arguments.burners} burners")
    command = [sys.executable, "-m", "gnomon.cli", "evaluate", arguments.space, "--arch", arguments.arch]
    rng, rounds = np.random.default_rng(arguments.seed), []
    with burning(arguments.burners):
        for number in range(arguments.rounds):
            taken = {name: seconds(command, WAYS[name]) for name in rng.permutation(list(WAYS))}
            print(f"round {number + 1}   " + ", ".join(f"{name} {taken[name]:.1f} s" for name in WAYS), flush=True)
            rounds.append(taken)
        print(f"load      {os.getloadavg()[0]:.2f} at the end, burners included")
    for name in WAYS:
        print(f"{name:<9} seconds {spread([taken[name] for taken in rounds])}")
    for name in ("spinning", "alone"):
        print(f"{name} takes {spread([taken[name] / taken['chosen'] for taken in rounds])} times as long as chosen")


@contextmanager
def burning(count: int) -> Iterator[None]:
    """Keep processes computing, one thread each."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    burners = [subprocess.Popen([sys.executable, "-c", BURN], env=environment) for _ in range(count)]
    try:
        time.sleep(SETTLE_S if burners else 0.0)
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def seconds(command: list[str], variables: dict[str, str]) -> float:
    """Run a command under these variables, and none of the user's own for threads; return how long it took."""
    ours = (*WAIT_VARIABLES, *COUNT_VARIABLES)
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    start_s = time.monotonic()
    subprocess.run(command, env={**environment, **variables}, check=True, capture_output=True)
    return time.monotonic() - start_s


if __name__ == "__main__":
    main()
