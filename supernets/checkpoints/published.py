"""What there is to know about the files that a super-network's authors publish: names, places, and their tensors.

Batch norm's running statistics are no tensors of a super-network: statistics.py says whose they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import CheckpointMismatch, SupernetError
from ..plugins import Registry, unknown_as

if TYPE_CHECKING:
    from torch import Tensor

OUR_EPSILON = 1e-5  # of elastic/normalisation.py, which needs torch to be imported


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """One file: the space that it fits, its name, and where its authors publish it."""

    space: str
    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Published:
    """The published files of a family of spaces.

    `our_name` gives the place of a published tensor in our network: None where it is ignored on purpose, the name
    itself where it is unknown. `prepared` recasts tensors before that, where one of theirs is several of ours.
    `statistics_pixels` is the side of the input that running statistics are of, where the authors calibrate for each;
    None where a fixed network is run with the same ones at any.
    """

    files: tuple[PublishedFile, ...]
    our_name: Callable[[str], str | None]
    epsilon: float = OUR_EPSILON
    prepared: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]] = dict
    statistics_pixels: int | None = None

    def translated(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return published tensors under our names; raises CheckpointMismatch when two have one place."""
        found: dict[str, Tensor] = {}
        for name, tensor in self.prepared(tensors).items():
            ours = self.our_name(name)
            if ours in found:
                raise CheckpointMismatch(
                    f"the checkpoint holds {ours!r} twice, the second time as {name!r}", tensor=name
                )
            if ours is not None:
                found[ours] = tensor.float()
        return found if self.epsilon == OUR_EPSILON else with_our_epsilon(found, self.epsilon)

    def expected(self, space: str) -> str:
        """Say which file is expected for `space` and where it is published."""
        files = [file for file in self.files if file.space == without_resolution(space)] or self.files
        return " or ".join(f"{file.name} (published at {file.address})" for file in files)


def with_our_epsilon(tensors: Mapping[str, Tensor], epsilon: float) -> dict[str, Tensor]:
    """Return tensors that do under batch norm's `OUR_EPSILON` what the given ones do under `epsilon`.

    (x - mean) / sqrt(variance + epsilon) stays what it is when x is multiplied by k and epsilon by k * k.
    """
    factor = (OUR_EPSILON / epsilon) ** 0.5
    normalised = {f"{name.removesuffix('.scale')}.weight" for name in tensors if name.endswith(".scale")}
    return {name: tensor * factor if name in normalised else tensor for name, tensor in tensors.items()}


FORMATS: Registry[Published] = Registry(
    "checkpoint format",
    "supernets/checkpoints/formats",
    unknown_as(SupernetError),
    "gnomon.checkpoints",
    attribute="PUBLISHED",
)


def published_for(space: str) -> Published | None:
    """Return what is known of the published files of a space; None where its authors publish none that we read.

    Raises PluginBroken.
    """
    base = space.partition(":")[0]
    return FORMATS.load(base) if base in FORMATS.names() else None


def without_resolution(space: str) -> str:
    """Return a space's name without the option that changes no weight."""
    base, _, options = space.partition(":")
    kept = [option for option in options.split(",") if option and not option.startswith("resolution=")]
    return f"{base}:{','.join(kept)}" if kept else base
