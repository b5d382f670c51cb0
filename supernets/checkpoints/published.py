"""What there is to know about the files that a super-network's authors publish: names, places, and their tensors.

Batch norm's running statistics are no tensors of a super-network: statistics.py says whose they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CheckpointMismatch, SupernetError
from ..plugins import Registry, unknown_as

if TYPE_CHECKING:
    from torch import Tensor

OUR_EPSILON = 1e-5  # of elastic/normalisation.py, which needs torch to be imported


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """One file: the space that it fits, its name, and where its authors publish it.

    `what` says what the network is where it is not all that the space needs. `data_set` is what `gnomon data prepare`
    calls it, where it can be had so.
    """

    space: str
    name: str
    address: str
    what: str = ""
    data_set: str = ""

    @property
    def prepared(self) -> Path | None:
        """Where the prepared file is; None where it is not."""
        from ..data.prepare import data_folder

        path = data_folder(self.data_set) / self.name if self.data_set else None
        return path if path and path.exists() else None

    def said(self) -> str:
        """Say what the file is and how it is had."""
        here = f"here: {self.prepared}" if self.prepared else f"published at {self.address}"
        prepare = f"; run: gnomon data prepare {self.data_set}" if self.data_set and not self.prepared else ""
        return f"{f'{self.what}, ' if self.what else ''}{self.name} ({here}{prepare})"


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
        return " or ".join(file.said() for file in self.files_for(space) or self.files)

    def files_for(self, space: str) -> list[PublishedFile]:
        """Return the files of the network of `space`, for its authors' classes at any resolution."""
        return [file for file in self.files if file.space == without_options(space, "resolution", "classes")]


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


def prepared_weights(space: str) -> Path | None:
    """Return the published file that `gnomon data prepare` got for `space`, where it is all that the space needs."""
    published = published_for(space)
    exact = without_options(space, "resolution", "precision")
    files = [file for file in published.files if file.space == exact and not file.what] if published else []
    return next((file.prepared for file in files if file.prepared), None)


def without_options(space: str, *names: str) -> str:
    """Return a space's name without some of its options."""
    base, _, options = space.partition(":")
    kept = [option for option in options.split(",") if option and option.partition("=")[0] not in names]
    return f"{base}:{','.join(kept)}" if kept else base


def option_of(space: str, name: str) -> str | None:
    """Return what a space's name says of an option; None where it says nothing."""
    return dict(option.partition("=")[::2] for option in space.partition(":")[2].split(",")).get(name)


def with_option(space: str, name: str, value: int) -> str:
    """Return a space's name with another value of an option."""
    rest = without_options(space, name)
    return f"{rest}{',' if ':' in rest else ':'}{name}={value}"
