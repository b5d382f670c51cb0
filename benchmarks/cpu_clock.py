"""A device that counts processor time instead of wall time: for benchmarks on a machine that others compute on.

    python benchmarks/cpu_clock.py PLAN --results FILE

runs a plan like the worker does, but a block takes the processor time that this process used. Where several processes
share a core, the wall time of a long model says how long the others ran. What they do to caches, and to the core
through its second thread, remains. Never a way to measure a profile that is to be kept.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gnomon.profilers.exits import DONE
from gnomon.profilers.transports.local import MAX_RESTARTS, LocalDevice


class CpuClockDevice(LocalDevice):
    """This machine, with processor time for wall time; takes plans whose policy reads no probe (`clean_blocks=0`)."""

    def run(
        self, plan_folder: Path, results: Path, *, on_progress: Callable[[Mapping[str, Any]], None] | None = None
    ) -> None:
        """Run a plan to its end; a model that takes the worker down fails. Raises RuntimeError for another end."""
        command, crashed = [sys.executable, __file__, str(plan_folder), "--results", str(results)], []
        for _ in range(MAX_RESTARTS + 1):
            code = subprocess.run([*command, *crashed], stdout=subprocess.DEVNULL, check=False).returncode
            if code == DONE:
                return
            if code >= 0:
                break
            crashed = ["--crashed", f"the process died of signal {-code} while timing it"]
        raise RuntimeError(f"the worker ended with exit code {code}")


def main() -> int:
    """Run the worker with another clock."""
    from gnomon.profilers.worker import worker

    time.perf_counter_ns = time.process_time_ns
    return worker.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
