"""How verbs print a hardware profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...lut import HardwareProfile


def print_profile(profile: HardwareProfile) -> None:
    """Print what a profile is, how good it is, and what it cost."""
    from ...lut.profile_file.description import text_from_facts

    print(text_from_facts(profile.facts()))
