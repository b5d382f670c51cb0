"""How verbs print a hardware profile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...lut import HardwareProfile


def print_profile(profile: HardwareProfile, *, only: Sequence[str] = ()) -> None:
    """Print what a profile is, how good it is, and what it cost; or `only` the facts with these labels."""
    from ...lut.profile_file.description import text_from_facts

    print(text_from_facts([fact for fact in profile.facts() if not only or fact[0] in only]))
