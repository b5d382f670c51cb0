"""How long a user waits for `gnomon --help`, and for `import gnomon`."""

from __future__ import annotations

import subprocess
import sys
import time

from environment import print_environment, spread

REPEATS = 15
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import gnomon": ["-c", "import gnomon"],
    "gnomon --help": ["-m", "gnomon.cli", "--help"],
}


def main() -> None:
    """Interleave the commands."""
    print_environment()
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(REPEATS):
        for name, arguments in COMMANDS.items():
            started = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
            seconds[name].append(time.perf_counter() - started)
    for name, values in seconds.items():
        print(f"{name:16s} seconds: {spread(values)}")


if __name__ == "__main__":
    main()
