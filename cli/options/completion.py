"""What the shell offers for a value that is being typed; nothing here is imported before somebody presses Tab."""

from __future__ import annotations


def space_names(incomplete: str) -> list[str]:
    """Return the registered spaces that begin so."""
    from ...supernets import space_names as known

    return beginning(known(), incomplete)


def backend_names(incomplete: str) -> list[str]:
    """Return the backends that begin so."""
    from ...profilers.runtimes.registry import backend_names as known

    return beginning(known(), incomplete)


def profile_names(incomplete: str) -> list[str]:
    """Return the shipped profiles that begin so; without one, shells go on to files."""
    from ...lut.profile_file.store import shipped_profiles as known

    return beginning(known(), incomplete)


def beginning(names: tuple[str, ...], start: str) -> list[str]:
    """Return the names that begin with `start`."""
    return [name for name in names if name.startswith(start)]
