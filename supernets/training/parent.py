"""Weights that training starts from: a file, and how to read it into the super-network."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ...inputs import fault_of_file
from ..errors import DataUnavailable

if TYPE_CHECKING:
    from ..elastic import ElasticNetwork


@dataclass(frozen=True)
class Parent:
    """A file of weights, and the function that copies them into a network of the space that is trained."""

    path: Path
    read: Callable[[ElasticNetwork, Path], None]

    @cached_property
    def sha256(self) -> str:
        """The file's digest; raises DataUnavailable when there is no file."""
        if fault := fault_of_file(self.path):
            raise DataUnavailable(f"the parent's weights {self.path} {fault}; expected a file of weights")
        try:
            return hashlib.sha256(self.path.read_bytes()).hexdigest()
        except OSError as error:
            raise DataUnavailable(f"cannot read the parent's weights {self.path}: {error}") from error

    def copy_into(self, network: ElasticNetwork) -> None:
        """Copy the file's weights into `network`; raises CheckpointMismatch when they are another network's."""
        self.read(network, self.path)
