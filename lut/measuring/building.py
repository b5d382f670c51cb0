"""From a plan to a profile of any kind: the folder `<output>.building`, in which an interrupted run waits.

It holds the plan, what was measured, and a lock, and is removed when the profile is written. What the runtime found out
while it built lies beside the profile afterwards, so that the next one of that name builds the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ...outputs import Kind, OutputUnusable, require_place
from ...profilers.errors import PlanMismatch, ProfilerError, UnsupportedConfig
from ...profilers.files import open_to_read
from ...profilers.journal import value_from_json
from ...profilers.results.parsing import read_results
from ...profilers.results.results import Results
from ...profilers.timing.plan import TimingPlan
from ...profilers.transports.transport import Transport
from ...profilers.worker.cache import cache_path, hand_on_cache
from ...temporary import discard, is_temporary, sweep
from ..errors import ProfileMismatch

LOCK_WAIT_S = 10.0  # a fleet's child whose parent was killed holds its lock until its visit in flight is recorded

OnProgress = Callable[[Mapping[str, Any]], None]


def run_to_profile(
    out: Path,
    kind: Kind,
    device: Transport,
    *,
    plan: Callable[[Path], TimingPlan],
    write: Callable[[TimingPlan, Results], None],
    force: bool,
    on_progress: OnProgress | None,
) -> None:
    """Run what `plan` writes into a folder on `device`, and have `write` write the profile at `out`, a `kind`.

    An interrupted run of the same plan goes on. Raises OutputUnusable, ProfileMismatch (an interrupted run of another
    plan), and what `plan`, `write` and the device raise.
    """
    building = building_of(out)
    journal = building / "results.jsonl"
    clear_finished(out, kind)
    require_building(out, kind, force=force)
    try:
        building.mkdir(parents=True, exist_ok=True)
        with FileLock(building / "lock", timeout=LOCK_WAIT_S):
            planned = plan(building)
            if not cache_path(journal).exists():
                hand_on_cache(out, journal)  # what the runtime found out for an earlier profile of this name
            device.run(building / "plan", journal, on_progress=on_progress)
            write(planned, read_results(journal))
            hand_on_cache(journal, out)
    except Timeout as error:
        raise OutputUnusable(f"another process is measuring {out}; wait for it, or choose another `out`") from error
    except UnsupportedConfig:
        if not read_results(journal).visits:  # else an earlier session measured, where the runtime could
            discard(building)
        raise
    except PlanMismatch as error:
        raise ProfileMismatch(
            f"{building} holds an interrupted run of another request ({error}); "
            "repeat that request to finish it, or remove the folder to give it up",
            fields=("plan",),
        ) from error
    except OSError as error:
        raise OutputUnusable(f"cannot write to {out.parent}: {error}{kept(journal)}") from error
    except OutputUnusable as error:
        raise OutputUnusable(f"{error}{kept(journal)}") from error
    discard(building)


def clear_finished(out: Path, kind: Kind) -> None:
    """Remove what a process left that was killed when the profile at `out` was written and its run not yet removed."""
    sweep(out.parent)
    building = building_of(out)
    if not os.path.lexists(building) or BUILDING.fault(building) or kind.fault(out):
        return
    with suppress(OSError, ValueError, ProfilerError, Timeout), FileLock(building / "lock", timeout=0):
        with open_to_read(out) as file:
            header = value_from_json(file.readline())
        found = read_results(building / "results.jsonl")
        started = found.sessions[0].started if found.is_complete else None
        if (header["plan"], header["created"]) == (found.plan, started):
            discard(building)


def require_building(out: Path, kind: Kind, *, force: bool) -> None:
    """Raise OutputUnusable where `run_to_profile` would before it measures, without writing anything."""
    require_place(out, kind, force=force)
    building = building_of(out)
    try:
        fault = BUILDING.fault(building)
    except OSError as error:
        raise OutputUnusable(f"cannot write to {building.parent}: {error}") from error
    if fault:
        raise OutputUnusable(f"{building} {fault}, and the measuring would end by removing it; choose another `out`")


def building_of(out: Path) -> Path:
    """Return the folder in which a run for the profile at `out` waits."""
    return out.with_name(f"{out.name}.building")


def kept(journal: Path) -> str:
    """Return the end of a message, that what was measured is kept; empty if nothing was measured."""
    try:
        has_visits = bool(read_results(journal).visits)
    except (OSError, ProfilerError):
        return ""
    return f"; what was measured is kept in {journal.parent}, and the same command goes on" if has_visits else ""


def foreign_in(building: Path) -> str:
    """Say what a folder of that name holds that no interrupted run leaves there, or nothing."""
    if building.is_symlink() or (building.exists() and not building.is_dir()):
        return "is no folder of an interrupted run"
    names = sorted(path.name for path in building.iterdir()) if building.exists() else []
    own = ("plan", "results.jsonl", "lock")
    begins = ("results.jsonl.", ".results.jsonl.")
    others = [name for name in names if not (name in own or name.startswith(begins) or is_temporary(name))]
    return f"holds {others[0]}, which no interrupted run leaves" if others else ""


BUILDING = Kind("an interrupted run", foreign_in)
