"""Facts about a hardware profile, each with its label, as lines and as an HTML table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ...printable import printable

Facts = Sequence[tuple[str, str]]


def text_from_facts(facts: Facts) -> str:
    """Return the facts as lines, one each."""
    return "\n".join(f"{label:<8} {printable(said)}" for label, said in facts)


def html_from_facts(facts: Facts) -> str:
    """Return the facts as an HTML table, all text escaped."""
    style = "padding:2px 10px 2px 0;border:0;background:none;color:inherit;text-align:left;vertical-align:top"
    rows = "".join(
        f'<tr><th style="{style}">{escape(label)}</th><td style="{style}">{escape(said)}</td></tr>'
        for label, said in facts
    )
    return f'<table style="border-collapse:collapse;color:inherit;font-size:13px">{rows}</table>'
