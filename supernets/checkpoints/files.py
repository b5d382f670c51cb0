"""Read the tensors of a checkpoint file without running anything that it holds.

What a file is shows in its first bytes, not in its name: published files have none of the usual endings. torch files
are pickles, in a zip or bare; they are opened for tensors and numbers alone, so one that would run code is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ...inputs import fault_of_file
from ..errors import CheckpointMismatch
from .stand_ins import STAND_INS, Dropped

if TYPE_CHECKING:
    from torch import Tensor

ZIP, BARE_PICKLE = b"PK\x03\x04", b"\x80\x02"
NESTED_UNDER = ("state_dict", "model", "state_dict_ema")  # what trainers wrap the tensors in
FOREIGN = re.compile(r"(?:GLOBAL|class) (\S+)")  # how torch names what a file asks for and does not get
BESIDE = (int, float, Dropped, type(None))  # what trainers keep beside the tensors: an epoch, the best accuracy
PARALLEL = "module."  # what torch's DataParallel puts before every name


def read_tensors(path: str | Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors or torch file by name; raises CheckpointMismatch when it is neither."""
    path = Path(path)
    if fault := fault_of_file(path):
        said = f"cannot read the checkpoint {path}: it {fault}; expected a file of weights"
        raise CheckpointMismatch(said, tensor="(file)")
    try:
        with path.open("rb") as file:
            head = file.read(9)
    except OSError as error:
        raise CheckpointMismatch(f"cannot read the checkpoint {path}: {error}", tensor="(file)") from error
    if head[8:] == b"{":  # asked first: the eight bytes before are a length, and may look like anything
        return read_safetensors(path)
    if head.startswith((ZIP, BARE_PICKLE)):
        return read_torch(path)
    raise CheckpointMismatch(
        f"{path} is not a checkpoint: it starts with {head!r}; expected a safetensors file, or a torch file as its "
        "authors publish it (not a web page that a download left)",
        tensor="(file)",
    )


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file; raises CheckpointMismatch."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors: dict[str, Tensor] = load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointMismatch(f"{path} is not a readable safetensors file: {error}", tensor="(file)") from error
    return tensors


def read_torch(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a torch file, bare or under `state_dict`; raises CheckpointMismatch for all else."""
    import torch

    try:
        # torch takes a path's ending for its content
        with path.open("rb") as file, torch.serialization.safe_globals(STAND_INS):
            content = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # what a damaged pickle raises has no end
        foreign = FOREIGN.search(str(error))
        raise CheckpointMismatch(
            f"{path} is refused: it asks to run {foreign[1]}, and a checkpoint holds tensors and numbers alone; "
            "expected a torch file of a state dict, or safetensors: torch.save(model.state_dict(), FILE) makes one"
            if foreign
            else f"{path} is a damaged torch file ({type(error).__name__}); download it again",
            tensor="(file)",
        ) from error
    if isinstance(content, Mapping):
        for key in NESTED_UNDER:
            if isinstance(content.get(key), Mapping):
                content = content[key]
                break
    if not isinstance(content, Mapping) or not content:
        raise CheckpointMismatch(
            f"{path} holds a {type(content).__name__}, expected tensors by name, bare or under 'state_dict'",
            tensor="(file)",
        )
    tensors = {name: value for name, value in content.items() if not isinstance(value, BESIDE)}
    for name, value in (tensors or content).items():
        if not (isinstance(name, str) and isinstance(value, torch.Tensor)):
            raise CheckpointMismatch(
                f"{path} holds {type(value).__name__} under {name!r}, expected tensors by name", tensor=str(name)
            )
    return {name.removeprefix(PARALLEL): value for name, value in tensors.items()}
