"""`gnomon search`: find the best sub-networks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...settings import SEARCH
from ..options.common import Force
from ..options.from_settings import given, with_options
from ..options.profiles import ProfileOptions
from ..options.space import SpaceArgument, SpaceOption, named_space
from ..options.weights import Checkpoint, Data
from ..printing.progress import progress, say, search_progress

if TYPE_CHECKING:
    from ...search.deployments.profiles import Profiles as LoadedProfiles


def space_of(profile: LoadedProfiles) -> str:
    """Return the space that profiles are of, the first one's; without any, that of the embedded super-network."""
    from ...search.deployments.profiles import by_name

    return next((one.header.space for _, one in by_name(profile)), "fashion_mnist")


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    @with_options(SEARCH)
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
        force: Force = False,
        **values: Any,
    ) -> None:
        """Search a space, the profile's unless named: validate on the super-network, take latency from the profile."""
        from ...api import load_run, run_search
        from ...search import SearchConfig
        from ...search.deployments.given import given_profiles
        from ...search.deployments.profiles import by_name
        from ...search.runs.records import REPORT_FILE
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
        with progress(f"search {settings.space} by {settings.tactic}") as report:
            run = run_search(
                settings,
                out,
                **named_profiles,
                checkpoint=checkpoint,
                data=data,
                start_from=other,
                force=force,
                on_progress=search_progress(report),
                on_step=say,
            )
        print_run(run, profile=loaded)
        print_report(out / REPORT_FILE, run, *(one for _, one in by_name(loaded)))
