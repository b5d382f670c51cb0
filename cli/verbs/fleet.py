"""`gnomon fleet`: profiles of many boards."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from ..options.common import AsJson
from ..printing.fleet import print_fleet
from ..printing.progress import say, say_if_not_interruptible, seldom


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def fleet(
        file: Annotated[Path, typer.Argument(help="TOML file of boards and of what to measure of each kind.")],
        *,
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="Say what is missing, and which boards can measure it.")
        ] = False,
        as_json: AsJson = False,
    ) -> None:
        """Measure profiles of many boards at the same time; what is there already is not measured again.

        A board without a kind of its own gets every profile. Boards of one kind share them, and stand in for one that
        is lost. Exit 3 when profiles are missing at the end.
        """
        from ...lut.errors import FleetIncomplete
        from ...lut.fleet.description import read_fleet
        from ...lut.fleet.run import run_fleet
        from ...lut.fleet.trial import try_fleet

        described = read_fleet(file)
        if dry_run:
            tasks = try_fleet(described, say=say)
            print_fleet(described, tasks, as_json=as_json)
            refused = [task for task in tasks if not any(task.is_open_to(board) for board in described.boards)]
            lacking = [task for task in refused if task.done_by is None]
            if lacking:
                raise FleetIncomplete(
                    f"{len(lacking)} of {len(tasks)} profiles can be measured by no board now; the reasons are above"
                )
            return
        say_if_not_interruptible()
        last = seldom()
        tasks = run_fleet(described, say=lambda step: last(step) if ", ETA " in step else say(step))
        print_fleet(described, tasks, as_json=as_json)
        missing = [task for task in tasks if task.done_by is None]
        if missing:
            raise FleetIncomplete(
                f"{len(missing)} of {len(tasks)} profiles are missing; once the cause is gone, the same command goes "
                f"on: gnomon fleet {shlex.quote(str(file))}"
            )
