"""Facts about a hardware profile, each with its label, as lines and as an HTML table; and what its records tell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from ...printable import printable
from .schema import ProfileContention, ProfileRefresh

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


def sentence_of_refresh(refreshed: ProfileRefresh) -> str:
    """Say from what and by how much a profile was rescaled."""
    is_first = math.isclose(refreshed.factor, refreshed.ratio)
    total = "" if is_first else f"; in all x{refreshed.factor:.3f} of the raw times"
    return (
        f"rescaled by x{refreshed.ratio:.3f} (90 %: {refreshed.low:.3f} to {refreshed.high:.3f}) from {refreshed.name} "
        f"(sha256 {refreshed.sha256[:12]}), {refreshed.created}, by {refreshed.models} models in "
        f"{refreshed.processes} processes{total}"
    )


def sentence_of_contention(contention: ProfileContention, never_clean: int, layers: int) -> str:
    """Say how busy the core was while a profile was measured, and how many of its layers were never ours."""
    some = f"{never_clean} of {layers} layers were never seen undisturbed"
    seen = "" if not layers else f"; {some}" if never_clean else "; every layer was seen undisturbed"
    if not contention.time_share:
        return f"never shared{seen}"
    return (
        f"shared {contention.time_share:.0%} of the time, x{contention.slow_down:.2f}, in spells of "
        f"{contention.spell_ms:.0f} ms{seen}"
    )
