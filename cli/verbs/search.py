"""`gnomon search`: find the best sub-networks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...settings import SEARCH, WORKERS
from ..options.common import DryRun, Force
from ..options.from_settings import checked, given, with_options
from ..options.profiles import ProfileOptions
from ..options.space import SpaceArgument, SpaceOption, named_space
from ..options.weights import Checkpoint, Data
from ..printing.live_front import search_progress
from ..printing.progress import say

if TYPE_CHECKING:
    from ...api.preparing import PreparedSearch
    from ...search.deployments.profiles import Profiles as LoadedProfiles


def space_of(profile: LoadedProfiles) -> str:
    """Return the space that profiles are of, the first one's; without any, that of the embedded super-network."""
    from ...search.deployments.profiles import by_name

    return next((one.header.space for _, one in by_name(profile)), "fashion_mnist")


def print_search_cost(prepared: PreparedSearch, out: Path, *, force: bool) -> None:
    """Print what a search would take: at the pace of the run that it continues, or of two validations made now."""
    from ...api import load_run
    from ...search.runs.files.records import RUN_FILE
    from ..printing.estimate import EVALUATION_KIB, print_again, print_disk, print_validations
    from ..printing.line import print_line

    settings, supernet = prepared.config, prepared.supernet
    disk_mib = EVALUATION_KIB * settings.budget / settings.partial_share / 1024
    if (out / RUN_FILE).exists() and not force:
        run = load_run(out)
        print_again(run, max(0, settings.budget - round(run.cost)), 0, disk_mib=disk_mib)
        return
    if supernet is None:
        print_line("time     seconds: no objective needs the super-network to run")
        print_disk(disk_mib)
        return
    print_validations(supernet, settings.split, prepared.precisions[0], settings.budget, disk_mib=disk_mib)


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    @with_options({**SEARCH, **WORKERS})
    def search(
        context: typer.Context,
        out: Annotated[Path, typer.Option(help="Run folder; an interrupted run in it goes on.")],
        profile: ProfileOptions = None,
        space: SpaceArgument = None,
        space_option: SpaceOption = None,
        *,
        config: Annotated[
            Path | None, typer.Option(help="TOML file of settings; options that are given go before.")
        ] = None,
        save_config: Annotated[Path | None, typer.Option(help="Write the settings as TOML, and stop.")] = None,
        start_from: Annotated[
            Path | None, typer.Option("--from", help="Start from another run on the space, e.g. another device's.")
        ] = None,
        checkpoint: Checkpoint = None,
        data: Data = None,
        isolate: Annotated[
            bool, typer.Option("--isolate", help="Validate in a process of its own: what hangs or dies is recorded.")
        ] = False,
        timeout: Annotated[
            float | None, typer.Option(help="Seconds that a validation may take; isolates it.", min=0.001)
        ] = None,
        track: Annotated[
            list[str] | None,
            typer.Option(help="Show the search in mlflow, tensorboard or wandb while it goes on; may be repeated."),
        ] = None,
        dry_run: DryRun = False,
        force: Force = False,
        **values: Any,
    ) -> None:
        """Search a space, the profile's unless named: validate on the super-network, take latency from the profile."""
        from ...api import load_run, run_search
        from ...api.preparing import prepared_search
        from ...reports.tracker import Tracking
        from ...search import SearchConfig, Workers
        from ...search.deployments.given import given_profiles
        from ...search.deployments.profiles import by_name
        from ...search.loop import require_searchable
        from ...search.runs.files.records import REPORT_FILE
        from ..options.profiles import load_profiles
        from ..options.settings_file import read_settings, save_settings
        from ..printing.front import print_run
        from ..printing.report import print_report

        named_profiles = load_profiles(profile or ())
        loaded = given_profiles(**named_profiles)
        content = read_settings(config) if config else {"space": space_of(loaded)}
        named = named_space(space, space_option, default=None)
        asked = {**given(context, SEARCH, values), **({"space": named} if named else {})}
        settings = SearchConfig.model_validate({**content, **asked})
        if save_config:
            save_settings(settings, save_config, force=force)
            print(save_config)
            return
        other = load_run(start_from) if start_from else None
        workers = Workers(**checked(WORKERS, values))
        if dry_run:
            prepared = prepared_search(
                settings, loaded, checkpoint=checkpoint, data=data, isolate=isolate, timeout_s=timeout, on_step=say
            )
            Tracking(track or ())
            require_searchable(
                prepared.context,
                prepared.config,
                out,
                provenance=prepared.provenance,
                start_from=other,
                force=force,
                workers=workers,
            )
            print_search_cost(prepared, out, force=force)
            return
        with search_progress(f"search {settings.space} by {settings.tactic}") as shown:
            run = run_search(
                settings,
                out,
                **named_profiles,
                checkpoint=checkpoint,
                data=data,
                start_from=other,
                isolate=isolate,
                timeout_s=timeout,
                force=force,
                on_progress=shown,
                on_step=say,
                workers=workers,
                track=track or (),
            )
        print_run(run, profile=loaded)
        print_report(out / REPORT_FILE, run, *(one for _, one in by_name(loaded)))
