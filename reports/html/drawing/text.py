"""Text of files in markup: escaped, and with marks that reorder or hide text written out."""

from __future__ import annotations

from markupsafe import Markup, escape

from ....printable import printable


def shown(text: str) -> str:
    """Return text as a reader may see it: what would reorder or hide it is written out; breaks of lines stay."""
    return "\n".join(map(printable, text.split("\n")))


def escaped(text: object) -> Markup:
    """Return text as markup that shows it."""
    return escape(shown(str(text)))


def trusted(markup: str) -> Markup:
    """Return markup that this package wrote, with every text of others in it `escaped`, as what needs no escaping."""
    return Markup(markup)  # noqa: S704
