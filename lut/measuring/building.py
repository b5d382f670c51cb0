"""From a plan to a profile of any kind: the folder `<output>.building`, in which an interrupted run waits.

It holds the plan, what was measured, and a lock, and is removed when the profile is written. What the runtime found out
while it built lies beside the profile afterwards, so that the next one of that name builds the same.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ...outputs import Kind, OutputUnusable, require_free
from ...profilers.errors import PlanMismatch, ProfilerError, UnsupportedConfig
from ...profilers.results.parsing import read_results
from ...profilers.results.results import Results
from ...profilers.timing.plan import TimingPlan
from ...profilers.transports.transport import Transport
from ...profilers.worker.cache import cache_path, hand_on_cache
from ..errors import ProfileMismatch

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
    building = out.with_name(f"{out.name}.building")
    journal = building / "results.jsonl"
    require_free(out, kind, force=force)
    prepare(building)
    try:
        with FileLock(building / "lock", timeout=0):
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
            shutil.rmtree(building)
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
    shutil.rmtree(building)


def prepare(building: Path) -> None:
    """Create the folder of a run unless an interrupted run left it; raises OutputUnusable for anything else there."""
    try:
        fault = BUILDING.fault(building)
        if not fault:
            building.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputUnusable(f"cannot write to {building.parent}: {error}") from error
    if fault:
        raise OutputUnusable(f"{building} {fault}, and the measuring would end by removing it; choose another `out`")


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
    others = [name for name in names if name not in own and not name.startswith(("results.jsonl.", ".results.jsonl."))]
    return f"holds {others[0]}, which no interrupted run leaves" if others else ""


BUILDING = Kind("an interrupted run", foreign_in)
