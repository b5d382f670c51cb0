"""INA3221: the current sensor on Jetson boards, whose channel VDD_IN feeds the whole board.

    python -m gnomon.profilers.resources.counters.ina VOLTAGE_FILE CURRENT_FILE

The sensor gives power, not energy, so its samples are integrated: a hundred a second, by the trapezoidal rule, in a
process of its own, because a thread would take turns with the models being measured. What that process uses is in
every reading, idle ones too. It answers each byte on its stdin with microjoules, samples and nanoseconds so far, and
ends with whoever started it. A sample is as exact as the sensor: steps of 8 mV and of 40 uV across the shunt.
"""

from __future__ import annotations

import argparse
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict, Mapping, Optional, Sequence, Tuple

from ...errors import CounterUnavailable
from ...machine.sysfs import ROOT, read_int, read_text
from ...runtimes.closing import Closing

DEVICES = ("cpu", "gpu", "npu")
INTERVAL_S = 0.01
DRIVER = "sys/bus/i2c/drivers/ina3221"
BOARD = "VDD_IN"
FEWEST = 0.5  # of the samples expected; a sampler that falls further behind measured something else


def open_counter(root: Path = ROOT) -> Ina:
    """Find the board's channel and start sampling it; raises `CounterUnavailable` where there is none."""
    labels = sorted((root / DRIVER).glob("*/hwmon/hwmon*/in*_label"))
    found = {read_text(path.parent, path.name) or "": path for path in labels}
    if BOARD not in found:
        others = f"its channels are {', '.join(sorted(found))}" if found else "Jetson boards have one"
        raise CounterUnavailable(f"/{DRIVER} has no channel {BOARD}; {others}")
    label = found[BOARD]
    number = label.name[len("in") : -len("_label")]
    return Ina(label.with_name(f"in{number}_input"), label.with_name(f"curr{number}_input"))


class Ina(Closing):
    """A process that samples one channel."""

    name = "ina"
    interval_s = INTERVAL_S
    total = (BOARD,)

    def __init__(self, voltage: Path, current: Path) -> None:
        self._files = f"{voltage} {current}"
        command = [sys.executable, "-m", __name__, str(voltage), str(current)]
        environment = dict(os.environ, PYTHONSAFEPATH="1")  # modules in the current folder must not shadow ours
        self._sampler = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        try:
            self.read()
        except BaseException:
            self.close()
            raise

    def read(self) -> Dict[str, int]:
        """Return microjoules, samples and nanoseconds so far; raises `CounterUnavailable` when the sampler ended."""
        assert self._sampler.stdin is not None
        assert self._sampler.stdout is not None
        try:
            self._sampler.stdin.write(b"?")
            words = self._sampler.stdout.readline().split()
        except OSError:  # a closed pipe says what an empty answer does
            words = []
        if len(words) != 3:
            raise CounterUnavailable(
                f"what samples the channel {BOARD} has ended, as it does when the sensor's files hold no numbers; "
                f"see what they hold: cat {self._files}"
            )
        return dict(zip((BOARD, "samples", "ns"), map(int, words)))

    def spent_mj(self, before: Mapping[str, int], after: Mapping[str, int]) -> Dict[str, float]:
        """Return the millijoules between two readings; raises `CounterUnavailable` where samples are too few."""
        seconds, samples = (after["ns"] - before["ns"]) / 1e9, after["samples"] - before["samples"]
        if samples < FEWEST * seconds / INTERVAL_S - 1:
            raise CounterUnavailable(
                f"the channel {BOARD} was sampled {samples} times in {seconds:.1f} s, expected {1 / INTERVAL_S:.0f} a "
                "second: the machine is too busy. Measure at a quieter moment, or with fewer threads"
            )
        return {BOARD: (after[BOARD] - before[BOARD]) / 1e3}

    def close(self) -> None:
        """End the sampler."""
        for stream in (self._sampler.stdin, self._sampler.stdout):
            if stream is not None:
                stream.close()
        self._sampler.wait()


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Sample until stdin closes; 1 when a file does not hold a number."""
    parser = argparse.ArgumentParser(
        prog="gnomon.profilers.resources.counters.ina", description="Integrate a channel's power."
    )
    parser.add_argument("voltage", type=Path, help="file of millivolts")
    parser.add_argument("current", type=Path, help="file of milliamperes")
    options = parser.parse_args(arguments)
    energy_uj, samples, last = 0.0, 0, _sample(options.voltage, options.current)
    while last is not None:
        asked, _, _ = select.select([sys.stdin], [], [], INTERVAL_S)
        now = _sample(options.voltage, options.current)
        if now is None:
            break
        energy_uj += (last[1] + now[1]) / 2 * (now[0] - last[0]) / 1e9
        samples, last = samples + 1, now
        if asked:
            if not os.read(sys.stdin.fileno(), 1):
                return 0
            print(round(energy_uj), samples, now[0], flush=True)
    return 1


def _sample(voltage: Path, current: Path) -> Optional[Tuple[int, float]]:
    """Return the nanoseconds of the clock and the microwatts then, or None where a file does not say."""
    millivolts, milliamperes = read_int(voltage.parent, voltage.name), read_int(current.parent, current.name)
    if millivolts is None or milliamperes is None:
        return None
    return time.monotonic_ns(), float(millivolts * milliamperes)


if __name__ == "__main__":
    sys.exit(main())
