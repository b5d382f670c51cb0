"""Shell completion of values; packages are imported only when Tab is pressed."""

from __future__ import annotations


def space_names(incomplete: str) -> list[str]:
    """Return the registered spaces that begin with what was typed."""
    from ...supernets import space_names as known

    return beginning(known(), incomplete)


def backend_names(incomplete: str) -> list[str]:
    """Return the backends that begin with what was typed."""
    from ...profilers.runtimes.registry import backend_names as known

    return beginning(known(), incomplete)


def profile_names(incomplete: str) -> list[str]:
    """Return the shipped profiles that begin with what was typed; if there is none, the shell offers files."""
    from ...lut.profile_file.store import shipped_profiles as known

    return beginning(known(), incomplete)


def tactic_names(incomplete: str) -> list[str]:
    """Return the tactics that begin with what was typed."""
    from ...search.tactic import TACTICS

    return beginning(TACTICS.names(), incomplete)


def surrogate_names(incomplete: str) -> list[str]:
    """Return the surrogates that begin with what was typed."""
    from ...search.prediction.surrogate import SURROGATES

    return beginning(SURROGATES.names(), incomplete)


def algorithm_names(incomplete: str) -> list[str]:
    """Return the evolutionary algorithms that begin with what was typed."""
    from ...search.evolution.algorithm import ALGORITHMS

    return beginning(ALGORITHMS.names(), incomplete)


def precision_names(incomplete: str) -> list[str]:
    """Return the precisions that begin with what was typed."""
    from ...supernets.precision import PRECISIONS

    return beginning(PRECISIONS.names(), incomplete)


OF_SETTINGS = {
    "tactic": tactic_names,
    "surrogate": surrogate_names,
    "algorithm": algorithm_names,
    "precision": precision_names,
}


def beginning(names: tuple[str, ...], start: str) -> list[str]:
    """Return the names that begin with `start`."""
    return [name for name in names if name.startswith(start)]
