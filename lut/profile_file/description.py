"""A hardware profile in words: one line for a prompt, a few with labels for people, and these as HTML."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ...profilers.results.conditions import sentence_of

if TYPE_CHECKING:
    from .profile import HardwareProfile


def name_of(profile: HardwareProfile) -> str:
    """Return a profile in one line, without fitting anything."""
    header, config = profile.header, profile.header.config
    return (
        f"HardwareProfile({profile.name}: {header.space} on {header.device}, {header.backend} {config.precision}, "
        f"batch {config.batch}, {config.threads} threads; {len(profile.table.measurements)} layers, "
        f"{len(profile.networks)} whole networks)"
    )


def facts_of(profile: HardwareProfile) -> list[tuple[str, str]]:
    """Return what a profile is, how good it is, and what it cost, each with its label; raises ProfileMismatch."""
    header, report = profile.header, profile.latency.report
    config = f"{header.config.precision}, batch {header.config.batch}, {header.config.threads} threads"
    facts = [
        ("profile", f"{profile.name}  (sha256 {profile.digest[:12]})"),
        ("space", f"{header.space}: {len(profile.table.measurements)} layers, {len(profile.networks)} whole networks"),
        ("runtime", f"{header.backend} {header.runtime_version}, {config}"),
        ("device", f"{header.device}, {header.created}, {header.seconds:.0f} s in {header.sessions} session(s)"),
    ]
    conditions = header.hardware.get("conditions")
    if isinstance(conditions, dict):
        facts.append(("clocks", sentence_of(conditions)))
    if header.source.kind != "measured":
        facts.append(("source", f"its layers were {header.source.kind} from {header.source.name}"))
    ratio = report.interval_ratio
    interval = "no interval" if ratio is None else f"90 % interval: value / {ratio:.3f} to x {ratio:.3f}"
    facts.append(("model", f"{report.model}; {interval}"))
    facts.append(("error", report.sentence()))
    facts.append(("quality", f"{profile.quality}: {profile.quality_reason}"))
    return facts


def text_of(profile: HardwareProfile) -> str:
    """Return the facts as lines; raises ProfileMismatch."""
    return "\n".join(f"{label:<8} {said}" for label, said in facts_of(profile))


def html_of(profile: HardwareProfile) -> str:
    """Return the facts as an HTML table, all text escaped; raises ProfileMismatch."""
    style = "padding:2px 10px 2px 0;border:0;background:none;color:inherit;text-align:left;vertical-align:top"
    rows = "".join(
        f'<tr><th style="{style}">{escape(label)}</th><td style="{style}">{escape(said)}</td></tr>'
        for label, said in facts_of(profile)
    )
    return f'<table style="border-collapse:collapse;color:inherit;font-size:13px">{rows}</table>'
