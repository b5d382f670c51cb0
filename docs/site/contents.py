"""The order of the site's pages; a page of docs/ that is not named here is the last of the how-to pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

FRONT = "index"
HOW_TO = "How to"
CONTENTS: Mapping[str, tuple[str, ...]] = {
    "Tutorials": (
        "tutorial-profile",
        "tutorial-search",
        "tutorial-export",
        "notebook-search",
        "notebook-own-supernet",
        "first-run",
    ),
    HOW_TO: (
        "shell",
        "devices",
        "any-model",
        "spaces",
        "tasks",
        "images",
        "text",
        "translation",
        "precision",
        "explain",
        "report",
        "trackers",
        "scaling",
        "plugins",
    ),
    "How it works": (
        "busy-machine",
        "why-sums-fail",
        "intervals",
        "deciding",
        "denormals",
        "latency",
        "searching",
    ),
    "Reference": (
        "cli",
        "api",
        "files",
        "schemas",
        "benchmarks",
        "benchmarks-latency",
        "benchmarks-search",
        "benchmarks-robustness",
        "glossary",
    ),
    "About": ("comparison", "faq", "limitations", "security", "CHANGELOG", "CONTRIBUTING"),
}


def sections(pages: Iterable[str]) -> dict[str, list[str]]:
    """Return the sections with the pages that exist; raises ValueError for a page of the table that does not."""
    there = set(pages) - {FRONT}
    found = {title: list(names) for title, names in CONTENTS.items()}
    if missing := {name for names in found.values() for name in names} - there:
        raise ValueError(f"docs/site/contents.py names pages that are not there: {', '.join(sorted(missing))}")
    found[HOW_TO] += sorted(there - {name for names in found.values() for name in names})
    return found


def toctrees(pages: Iterable[str]) -> str:
    """Return the tables of contents that the front page gets, as MyST."""
    blocks = [
        "\n".join(["```{toctree}", ":hidden:", f":caption: {title}", "", *names, "```"])
        for title, names in sections(pages).items()
    ]
    return "\n\n" + "\n\n".join(blocks) + "\n"
