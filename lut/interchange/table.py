"""What every format holds: rows, and the facts without which a latency means nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import TableUnreadable
from ..profile_file.profile import HardwareProfile

# Facts of the header that travel with an exported table, as text.
FACTS = (
    "space",
    "space_digest",
    "backend",
    "runtime_version",
    "device",
    "processor",
    "precision",
    "threads",
    "batch",
    "created",
)


@dataclass(frozen=True, slots=True)
class Row:
    """A layer's latency as a file gives it; where known, the interquartile range of its repeats and how many."""

    key: str
    value_us: float
    iqr_us: float | None = None
    visits: int | None = None


@dataclass(frozen=True)
class Exchange:
    """A table that was read: rows, facts by name (of `FACTS`; empty for formats without), and keys that name no layer.

    `unmapped` are these keys, in the file's own words; their times are in no row.
    """

    rows: tuple[Row, ...]
    facts: Mapping[str, str] = field(default_factory=dict)
    unmapped: tuple[str, ...] = ()

    @property
    def value_us(self) -> dict[str, float]:
        """Latencies by layer key."""
        return {row.key: row.value_us for row in self.rows}

    @property
    def spread_us(self) -> dict[str, float]:
        """Interquartile ranges by layer key, where known."""
        return {row.key: row.iqr_us for row in self.rows if row.iqr_us is not None}


def rows_of(profile: HardwareProfile) -> tuple[Row, ...]:
    """Return a profile's table as rows, in its order."""
    return tuple(
        Row(key, m.value_us, m.relative_iqr * m.value_us, m.visits) for key, m in profile.table.measurements.items()
    )


def facts_of(profile: HardwareProfile) -> dict[str, str]:
    """Return the facts that travel with a profile's table."""
    header, config = profile.header, profile.header.config
    found = {
        "space": header.space,
        "space_digest": header.space_digest,
        "backend": header.backend,
        "device": header.device,
        "processor": config.device,
        "precision": config.precision,
        "batch": str(config.batch),
        "threads": str(config.threads),
        "runtime_version": header.runtime_version,
        "created": header.created,
    }
    return {name: value for name, value in found.items() if value}


def checked_facts(facts: Mapping[str, Any], where: str) -> dict[str, str]:
    """Return facts that are known and text; raises TableUnreadable."""
    for name, value in facts.items():
        if name not in FACTS or not isinstance(value, str):
            raise TableUnreadable(f"{where}: {name!r} is {value!r}; expected text, and one of {', '.join(FACTS)}")
    return dict(facts)


def parsed_facts(text: str, where: str) -> dict[str, str]:
    """Return facts from a JSON object; raises TableUnreadable."""
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TableUnreadable(f"{where}: expected a JSON object of facts: {error}") from error
    if not isinstance(facts, dict):
        raise TableUnreadable(f"{where}: expected a JSON object of facts, found {type(facts).__name__}")
    return checked_facts(facts, where)


def without_repeats(rows: Iterable[tuple[str, Row]]) -> tuple[Row, ...]:
    """Return rows paired with where they stand; raises TableUnreadable when a layer comes twice."""
    first: dict[str, str] = {}
    found = []
    for where, row in rows:
        if row.key in first:
            raise TableUnreadable(f"{where}: {row.key} was at {first[row.key]} already; a table has one row a layer")
        first[row.key] = where
        found.append(row)
    return tuple(found)
