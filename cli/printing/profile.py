"""How verbs print a hardware profile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...lut import HardwareProfile, Validity


def print_profile(profile: HardwareProfile, *, only: Sequence[str] = ()) -> None:
    """Print what a profile is, how good it is, and what it cost; or `only` the facts with these labels."""
    from ...lut.profile_file.description import text_from_facts

    print(text_from_facts([fact for fact in profile.facts() if not only or fact[0] in only]))


def print_validity(validity: Validity) -> None:
    """Print how each kind of layer, and the whole networks, changed beside the common factor."""
    from .table import print_table

    rows = [
        (group.name, group.models, f"x{group.ratio:.3f}", f"{group.low:.3f} to {group.high:.3f}", group.specific)
        for group in validity.groups
    ]
    print_table(
        ("timed again", "models", "beyond the common factor", "90 % interval", "moved by itself"),
        [(*row[:-1], "yes" if row[-1] else "no") for row in rows],
    )
