"""The one base of every error that Gnomon raises on purpose; each package has its own tree below it."""

from __future__ import annotations


class GnomonError(Exception):
    """Base of every error that Gnomon raises for what was asked or found; its message says what to do."""
