"""The one base of every error that Gnomon raises on purpose; each package has its own tree below it."""

from __future__ import annotations

from typing import ClassVar


class GnomonError(Exception):
    """Base of every error that Gnomon raises for what was asked or found; its message says what to do.

    An error `of_no_architecture` would befall every architecture that is evaluated here, so it is no fault of the one
    at which it was raised: it ends a search, where another is recorded. Such a class is built from a message alone.
    """

    of_no_architecture: ClassVar[bool] = False
