"""Errors of the search package.

SearchError
├── UnknownName        no objective, surrogate, tactic or architecture of that name
├── InvalidConfig      a setting of a search that cannot be honoured
├── InvalidConstraint  a constraint that cannot be read
├── InvalidPick        a preference that cannot be read, or that asks for no member of a front
├── MissingContext     an objective needs something the context lacks (a super-network, a profile)
├── InvalidValue       an objective returned something that is not one finite number an architecture
├── TrialRefused       a trial was told that cannot be told so
├── TacticBroken       a tactic asked for what it may not ask for
├── SpaceExhausted     more architectures are asked for than the space has
├── Infeasible         no measured architecture keeps a rule; carries the nearest
├── NothingMeasured    a run has measured nothing in full yet
├── WorkersUnavailable workers could not be started, or none can evaluate any architecture
├── NothingEvaluates   every evaluation of a search failed
├── RunMismatch        the run folder belongs to another run
├── RunDamaged         a file of a run folder is not what was written
├── RunLocked          another process is writing the run
└── ExportRefused      an exported file does not do what torch does
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import GnomonError
from ..supernets.plugins import unknown_said
from ..supernets.space.space import Architecture


class SearchError(GnomonError):
    """Base of everything that search raises for bad input."""


class UnknownName(SearchError):
    """Nothing of that kind has this name; `known` lists what has."""

    def __init__(self, message: str, *, known: Sequence[str]) -> None:
        super().__init__(message)
        self.known = tuple(known)

    @classmethod
    def of(cls, kind: str, name: str, known: Sequence[str]) -> UnknownName:
        """Build the error for `name`, with the known names and the closest of them."""
        return cls(unknown_said(kind, name, known), known=known)


class InvalidConfig(SearchError):
    """A setting that cannot be honoured; `field` names it."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class InvalidConstraint(SearchError):
    """A constraint that cannot be read, or that names no objective of the run."""


class InvalidPick(SearchError):
    """A preference that cannot be read, or that asks for no member of a front."""


class MissingContext(SearchError):
    """An objective needs something that the search context lacks."""

    of_no_architecture = True


class InvalidValue(SearchError):
    """An objective returned something else than one finite number an architecture."""


class TrialRefused(SearchError):
    """A trial was told that nobody asked for, that is told already, or with other values than are expected."""


class TacticBroken(SearchError):
    """A tactic asked for a batch that breaks its contract."""


class SpaceExhausted(SearchError):
    """More distinct architectures are asked for than the space has; `available` counts them."""

    def __init__(self, message: str, *, available: int) -> None:
        super().__init__(message)
        self.available = available


class Infeasible(SearchError):
    """No measured architecture keeps the rule; `nearest` misses it by least."""

    def __init__(self, message: str, *, nearest: Architecture) -> None:
        super().__init__(message)
        self.nearest = nearest


class RunMismatch(SearchError):
    """The folder holds another run; `fields` names what differs."""

    def __init__(self, message: str, *, fields: Sequence[str]) -> None:
        super().__init__(message)
        self.fields = tuple(fields)


class NothingMeasured(SearchError):
    """A run in which nothing has been measured in full yet: it has no front, and can go on."""


class WorkersUnavailable(SearchError):
    """Workers could not be started, or all were lost, or none of them can evaluate any architecture."""


class NothingEvaluates(SearchError):
    """Every evaluation of a search failed; `reason` is why the last one did."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class RunDamaged(SearchError):
    """A file of a run folder is not what was written; `line_number` is 0 for a file that is not a journal."""

    def __init__(self, message: str, *, path: Path, line_number: int = 0) -> None:
        super().__init__(message)
        self.path = path
        self.line_number = line_number


class RunLocked(SearchError):
    """Another process is writing the run."""


class ExportRefused(SearchError):
    """An exported file does not do what the sub-network does in torch."""
