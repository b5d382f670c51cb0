"""Runs `gnomon` as a user does, and judges how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

COMMAND = (sys.executable, "-m", "gnomon.cli")
LONGEST_S = 600.0
EXPECTED_CODES = frozenset((0, 2, 3, 4, 5, 130))


@dataclass
class Tally:
    """What trials of one kind came to: how many there were of each outcome, and every one that was wrong.

    The name is that of all such trials; a remark is of these alone.
    """

    name: str
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    remark: str = ""

    def add(self, outcome: str, wrong: str = "") -> None:
        """Count a trial, and say what was wrong with it, if anything."""
        self.counts[outcome] += 1
        if wrong:
            self.wrong.append(wrong)

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {outcome}" for outcome, count in self.counts.most_common())
        faults = "".join(f"\n    WRONG: {one}" for one in self.wrong[:10])
        remark = f" ({self.remark})" if self.remark else ""
        return f"{self.name}{remark}: {counts or 'nothing tried'}; {len(self.wrong)} wrong{faults}"


def started(arguments: list[str], folder: Path, **environment: str) -> subprocess.Popen[bytes]:
    """Start a command in a folder, in a process group of its own."""
    return subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def ended(process: subprocess.Popen[bytes], *, expected: frozenset[int] = EXPECTED_CODES) -> tuple[int, str]:
    """Wait for a command; return its exit code, and what was wrong with how it ended."""
    try:
        _, stderr = process.communicate(timeout=LONGEST_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return -9, f"no end within {LONGEST_S:g} s: {process.args}"
    return process.returncode, ending(process.args[3:], process.returncode, stderr, expected)


def ending(arguments: list[str], code: int, stderr: bytes, expected: frozenset[int]) -> str:
    """Say what was wrong with how a command ended: a traceback, or an exit code that it has no leave for."""
    text = stderr.decode(errors="replace")
    if "Traceback" not in text and code in expected:
        return ""
    last = text.strip().splitlines()[-1:] or ["(no words)"]
    return f"exit code {code} of {arguments}: {last[0]}"


def gnomon(arguments: list[str], folder: Path, **environment: str) -> tuple[int, str]:
    """Run a command to its end, as `ended` says."""
    return ended(started(arguments, folder, **environment))
