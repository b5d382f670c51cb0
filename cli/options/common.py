"""Options that many verbs have."""

from __future__ import annotations

from typing import Annotated

import typer

from .completion import backend_names

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Backend = Annotated[str, typer.Option(help="Runtime; gnomon backends lists them.", autocompletion=backend_names)]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say how long it will take and how much disk it needs, and stop.")
]
Force = Annotated[bool, typer.Option("--force", help="Replace an existing output.")]
