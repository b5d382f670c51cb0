"""Errors of the supernets package.

SupernetError
├── UnknownSpace          no space of that name, or an option it does not have
├── InvalidArchitecture   a gene or value outside the space
├── CheckpointMismatch    weights of another network
├── PrecisionUnavailable  this machine lacks what a precision takes
│   └── KernelsDisagree   its integer kernels do not compute what int8 files say
├── EvaluationFailed      a sub-network could not be evaluated: it raised, took too long, or its process died
├── EvaluationImpossible  no sub-network can be evaluated there
├── PluginBroken          another package registered something that cannot be loaded
└── DataUnavailable       a data set is not where it should be, or is damaged
"""

from __future__ import annotations

from ..errors import GnomonError


class SupernetError(GnomonError):
    """Base of everything that supernets raises for bad input."""


class UnknownSpace(SupernetError):
    """No search space of that name is registered, or it has no such option."""


class InvalidArchitecture(SupernetError, ValueError):
    """A gene, value or id lies outside the search space."""


class CheckpointMismatch(SupernetError):
    """The weights belong to another network; `tensor` names the first that differs."""

    def __init__(self, message: str, *, tensor: str) -> None:
        super().__init__(message)
        self.tensor = tensor


class PrecisionUnavailable(SupernetError):
    """A precision takes a runtime or a processor that this machine does not have."""

    of_no_architecture = True


class KernelsDisagree(PrecisionUnavailable):
    """Integer kernels of this machine answer otherwise than the files that are made for it say."""


class EvaluationFailed(SupernetError):
    """A sub-network's evaluation raised, took longer than allowed, or took its process down."""


class EvaluationImpossible(SupernetError):
    """No sub-network can be evaluated where that was tried."""

    of_no_architecture = True


class PluginBroken(SupernetError):
    """What another package registered in `group` cannot be imported, lacks what it should have, or raises."""

    def __init__(self, message: str, *, group: str) -> None:
        super().__init__(message)
        self.group = group


class DataUnavailable(SupernetError):
    """A data set is missing or its content is not what its publisher shipped."""

    of_no_architecture = True
