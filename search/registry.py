"""A registry is a folder: every module of it defines `build`, and its file name is its name.

Third parties add to a registry through the entry-point group beside it. Nothing is imported before it is asked for,
so that a search by random sampling never loads scikit-learn.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Generic, TypeVar, cast

from .errors import UnknownName

BuilderT = TypeVar("BuilderT", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Registry(Generic[BuilderT]):
    """The modules of `folder` (beside this file) but the `shared` ones, and the entry points of `group`.

    `kind` is for messages.
    """

    kind: str
    folder: str
    group: str
    shared: tuple[str, ...] = ()

    def names(self) -> tuple[str, ...]:
        """Name what is registered, sorted."""
        own = {module.name for module in pkgutil.iter_modules([str(Path(__file__).parent / self.folder)])}
        return tuple(sorted((own - set(self.shared)) | {point.name for point in entry_points(group=self.group)}))

    def check(self, name: str) -> None:
        """Raise UnknownName, with the closest match, unless `name` is registered."""
        known = self.names()
        if name not in known:
            raise UnknownName.of(self.kind, name, known)

    def builder(self, name: str) -> BuilderT:
        """Import what is called `name` and return its `build`; raises UnknownName."""
        self.check(name)
        for point in entry_points(group=self.group):
            if point.name == name:
                return cast(BuilderT, point.load())
        module = importlib.import_module(f".{self.folder}.{name}", __package__)
        return cast(BuilderT, module.build)
