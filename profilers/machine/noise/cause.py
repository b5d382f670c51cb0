"""One possible cause of noise, as a value."""

from __future__ import annotations

from dataclasses import dataclass

CPU = "sys/devices/system/cpu"


@dataclass(frozen=True)
class NoiseCause:
    """One possible cause of noise: ``severity`` is ok, warn or bad; ``fix`` is a command or a sentence.

    The fix is for severities other than ok; where nothing is wrong it says what could be, or nothing.
    """

    name: str
    severity: str
    value: str
    why: str
    fix: str


def severity_of(value: float, *, warn: float, bad: float) -> str:
    """Return ok below ``warn``, warn below ``bad``, bad from there."""
    if value < warn:
        return "ok"
    return "warn" if value < bad else "bad"
