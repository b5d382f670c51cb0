"""How a search was called: what makes no difference to the run, and is needed to call it again.

`call.json` in the run folder holds the last call. A run of a `Study`, or of an earlier version, has none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ....profilers.files import read_text_file
from ....profilers.journal import write_atomically
from ....settings import WORKERS
from ...errors import RunDamaged
from .records import CALL_FILE, first_line


class Call(BaseModel):
    """Arguments of a search, as they were given: paths as text, `start_from` the folder of the other run."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_id: Literal["gnomon.call"] = Field(default="gnomon.call", alias="schema")
    version: Literal[1] = 1
    checkpoint: str | None = None
    data: str | None = None
    start_from: str | None = None
    isolate: bool = False
    timeout_s: float | None = None
    executor: str = WORKERS["executor"].default
    workers: int | None = None
    worker_cpus: float = WORKERS["worker_cpus"].default
    worker_gpus: float = WORKERS["worker_gpus"].default


def write_call(folder: Path, call: Call) -> None:
    """Write how the run in `folder` was called; raises OSError."""
    write_atomically(folder / CALL_FILE, call.model_dump_json(indent=1, by_alias=True) + "\n")


def read_call(folder: Path) -> Call | None:
    """Read how the run in `folder` was called, None where nothing says so; raises RunDamaged."""
    path = folder / CALL_FILE
    try:
        return Call.model_validate_json(read_text_file(path))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        said = first_line(error) if isinstance(error, ValidationError) else str(error)
        raise RunDamaged(f"{path} does not say how the search was called: {said}; remove it", path=path) from error
