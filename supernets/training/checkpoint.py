"""The state of a training run in a file: written whole beside the old one, then renamed over it.

It says what it was made by (recipe, training data, space, parent); another one is refused rather than continued.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, cast

import torch

from ...inputs import ABSENT, fault_of_file
from ...temporary import replacing
from ..elastic import ElasticNetwork
from ..errors import CheckpointMismatch
from ..weight_files import OLD_KEY


class Watched:
    """A file to write to that keeps what the operating system refused, of which torch raises something else."""

    def __init__(self, file: IO[bytes]) -> None:
        """Write to `file`."""
        self._file = file
        self.refused: OSError | None = None

    def write(self, content: bytes) -> int:
        """Write as the file does."""
        with self._noting():
            return self._file.write(content)

    def flush(self) -> None:
        """Flush as the file does."""
        with self._noting():
            self._file.flush()

    @contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.refused = error
            raise


@dataclass(frozen=True, slots=True)
class Epoch:
    """A point of the learning curve: mean loss of the largest on its labels, and metrics of the averaged weights."""

    epoch: int
    loss: float
    largest: float
    smallest: float
    seconds: float


@dataclass(frozen=True)
class Pupils:
    """What training changes."""

    network: ElasticNetwork
    average: ElasticNetwork
    optimizer: torch.optim.Optimizer


@dataclass(frozen=True, slots=True)
class Position:
    """How far training has come: the epochs done, and the losses of the steps done in the next."""

    curve: tuple[Epoch, ...] = ()
    losses: tuple[float, ...] = ()
    seconds: float = 0.0


def save(path: Path, origin: Mapping[str, Any], pupils: Pupils, position: Position) -> None:
    """Write a checkpoint beside `path` and rename it over; raises OSError, also where torch hides it."""
    state = {
        "origin": dict(origin),
        "network": pupils.network.state_dict(),
        "average": pupils.average.state_dict(),
        "optimizer": pupils.optimizer.state_dict(),
        "curve": [asdict(point) for point in position.curve],
        "losses": list(position.losses),
        "seconds": position.seconds,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        watched = Watched(file)
        try:
            torch.save(state, cast(IO[bytes], watched))
        except RuntimeError as error:
            raise (watched.refused or error) from error


def restore(path: Path, origin: Mapping[str, Any], pupils: Pupils) -> Position:
    """Load a checkpoint, if there is one, and return its position.

    Raises CheckpointMismatch for another origin, and for damage.
    """
    state = kept_state(path)
    if state is None:
        return Position()
    found = {"training_data" if name == OLD_KEY else name: value for name, value in state["origin"].items()}
    changed = sorted(differing(found, origin))
    if changed:
        raise CheckpointMismatch(
            f"{path} was made by another recipe; these differ: {', '.join(changed)}; "
            "remove it to start again, or give the options it was started with",
            tensor=changed[0],
        )
    try:
        pupils.network.load_state_dict(state["network"])
        pupils.average.load_state_dict(state["average"])
        pupils.optimizer.load_state_dict(state["optimizer"])
        return Position(tuple(Epoch(**point) for point in state["curve"]), tuple(state["losses"]), state["seconds"])
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise damaged(path, error) from error


def kept_state(path: Path) -> Mapping[str, Any] | None:
    """Return what a checkpoint holds, None where there is none.

    Raises CheckpointMismatch for anything but a file that `save` wrote whole.
    """
    if fault := fault_of_file(path):
        if fault == ABSENT:
            return None
        raise CheckpointMismatch(f"{path} {fault}; expected the state of an interrupted training", tensor="(file)")
    try:
        with path.open("rb") as file:
            state = torch.load(file, weights_only=True)
    except Exception as error:  # what a damaged pickle raises has no end
        raise damaged(path, error) from error
    if not isinstance(state, Mapping) or not isinstance(state.get("origin"), Mapping):
        raise damaged(path, TypeError("it does not say what it was made by"))
    return state


def damaged(path: Path, error: Exception) -> CheckpointMismatch:
    """Return the error of a file that is no checkpoint of a training."""
    said = f"{path} is not the state of an interrupted training, or is damaged ({type(error).__name__})"
    return CheckpointMismatch(f"{said}; remove it to start again", tensor="(file)")


def differing(found: Mapping[str, Any], expected: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Return the dotted names whose values differ between two nested mappings."""
    names: list[str] = []
    for name in {*found, *expected}:
        ours, theirs = expected.get(name), found.get(name)
        if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
            names += differing(theirs, ours, f"{prefix}{name}.")
        elif ours != theirs:
            names.append(prefix + name)
    return names
