"""Shows a search in TensorBoard: event files in the folder `tensorboard` beside the run folder, one folder a run."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from itertools import chain, count
from pathlib import Path
from typing import Any

from ..tracker import Setting

MODULE = "tensorboard"
FLUSH_S = 10  # what is newer is not on the disk yet


class EventFiles:
    """The event files of a run; each time the search goes on, it begins another one."""

    def __init__(self, folder: Path) -> None:
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self.id = folder.name
        self._writer = EventFileWriter(str(folder), flush_secs=FLUSH_S)

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Show values as scalars."""
        from tensorboard.plugins.scalar.summary_v2 import scalar_pb

        for name, value in values.items():
            self.add(scalar_pb(name, value), step)

    def close(self, front: str, *, is_over: bool) -> None:
        """Show the front as text, and write everything to the disk."""
        from tensorboard.plugins.text.summary_v2 import text_pb

        self.add(text_pb("front", "\n".join(f"    {line}" for line in front.splitlines())))  # Markdown's way to keep it
        self._writer.close()

    def add(self, summary: Any, step: int = 0) -> None:
        """Write a summary."""
        from tensorboard.compat.proto.event_pb2 import Event

        self._writer.add_event(Event(wall_time=time.time(), step=step, summary=summary))


def open_tracker(run: Path, settings: Mapping[str, Setting], known: str | None) -> EventFiles:
    """Go on in the folder of a run that is known, or begin one that is called as the run's; raises OSError."""
    from tensorboard.plugins.hparams.summary_v2 import hparams_pb

    place = run.resolve().parent / "tensorboard"
    files = EventFiles(place / (known or free_name(place, run.resolve().name)))
    if known is None:
        files.add(hparams_pb(dict(settings)))
    return files


def free_name(place: Path, wanted: str) -> str:
    """Return a name that nothing in a folder has: as it is wanted, or with a number."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", wanted)[:80].lstrip("-.") or "run"
    names = chain([plain], (f"{plain}-{number}" for number in count(2)))
    return next(name for name in names if not (place / name).exists())
