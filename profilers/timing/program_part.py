"""One model of a program, and how often a pass of the program runs it."""

from __future__ import annotations

import re
from dataclasses import dataclass

PART_NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class ProgramPart:
    """One model of a program, as ONNX bytes, and how often a pass runs it."""

    name: str
    model: bytes
    runs: int = 1

    def __post_init__(self) -> None:
        check_part(self.name, self.runs)


def check_part(name: object, runs: object) -> None:
    """Raise ValueError unless a part can be called ``name`` and run ``runs`` times."""
    if not isinstance(name, str) or not PART_NAME.fullmatch(name):
        raise ValueError(f"a part of a program is called {name!r}; expected letters, digits, dashes, underscores")
    if not isinstance(runs, int) or isinstance(runs, bool) or runs < 1:
        raise ValueError(f"part {name!r} runs {runs!r} times; expected a whole number of at least 1")
