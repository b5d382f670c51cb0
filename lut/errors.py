"""Errors of the lut package.

LutError
├── UnknownProfile    no file and no shipped profile of that name
├── ProfileDamaged    the file is not a hardware profile, or a line of it is wrong (`line_number`)
├── ProfileMismatch   the profile is of another space, runtime or precision (`fields`)
├── LatencyMissing    a layer has no measurement (`keys`)
├── NotVerified       nothing is known about the error of these latencies
├── TableUnreadable   a table of another format cannot be read, or has no word for what is asked
├── ResultsIncomplete a device's results are of a run that was not finished
├── FleetInvalid      a file does not describe a fleet
├── FleetIncomplete   profiles of a fleet are missing
└── FindingsRefused   a table has findings that are errors (`findings` in words)
"""

from __future__ import annotations

from ..errors import GnomonError


class LutError(GnomonError):
    """Base of everything that lut raises for bad input."""


class UnknownProfile(LutError):
    """There is no such profile."""


class ProfileDamaged(LutError):
    """The file cannot be read as a profile."""

    def __init__(self, message: str, *, line_number: int = 0) -> None:
        super().__init__(message)
        self.line_number = line_number


class ProfileMismatch(LutError):
    """The profile does not belong to what is asked of it."""

    def __init__(self, message: str, *, fields: tuple[str, ...]) -> None:
        super().__init__(message)
        self.fields = fields


class LatencyMissing(LutError):
    """A network runs layers that were not measured; no value is assumed for them."""

    def __init__(self, message: str, *, keys: tuple[str, ...]) -> None:
        super().__init__(message)
        self.keys = keys


class TableUnreadable(LutError):
    """A file in an exchange format is not what it should be."""


class ResultsIncomplete(LutError):
    """What a device brought back is of a run that was not finished."""


class FleetInvalid(LutError):
    """A file does not describe boards and what to measure of them."""


class FleetIncomplete(LutError):
    """Some of a fleet's profiles were not measured."""


class FindingsRefused(LutError):
    """A table has findings that are errors, and was not accepted in spite of them."""

    def __init__(self, message: str, *, findings: tuple[str, ...]) -> None:
        super().__init__(message)
        self.findings = findings


class NotVerified(LutError):
    """Nothing is known about the error of these latencies."""
