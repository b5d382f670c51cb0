"""`gnomon search`: find the best sub-networks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .completion import profile_names
from .output import Force, progress, say
from .space_name import SpaceArgument, SpaceOption, named_space

if TYPE_CHECKING:
    from ..search.deployments.profiles import Profiles as LoadedProfiles

Checkpoint = Annotated[
    Path | None, typer.Option(help="Weights: ours, or a file as its authors publish it; default: those that ship.")
]
Profiles = Annotated[
    list[str] | None,
    typer.Option(
        help="Hardware profile of latency. Several devices as NAME=FILE, for latency@NAME; several without names are "
        "deployments on one device, of which precision is searched and runtime and threads are the fastest.",
        autocompletion=profile_names,
    ),
]
Data = Annotated[Path | None, typer.Option(help="Folder of the full data set; default: the embedded sample.")]


def search_progress(report: Callable[[float, float, float, str], None]) -> Callable[..., None]:
    """Adapt `report` to what a search tells after each validation."""
    return lambda spent, budget, eta_s, evaluation, hypervolume: report(
        round(spent, 2), budget, eta_s, f"hypervolume {hypervolume:.4g}"
    )


def space_of(profile: LoadedProfiles) -> str:
    """Return the space that profiles are of, the first one's; without any, that of the embedded super-network."""
    from ..search.deployments.profiles import by_name

    return next((one.header.space for _, one in by_name(profile)), "fashion_mnist")


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def search(
        out: Annotated[Path, typer.Option(help="Run folder; an interrupted run in it goes on.")],
        profile: Profiles = None,
        space: SpaceArgument = None,
        space_option: SpaceOption = None,
        objectives: Annotated[str, typer.Option(help="What to optimise, with commas between.")] = "accuracy,latency",
        tactic: Annotated[str, typer.Option(help="How to choose what to validate.")] = "gnomon",
        algorithm: Annotated[str, typer.Option(help="How linas and evolutionary breed.")] = "auto",
        surrogate: Annotated[str, typer.Option(help="Predictor of costly objectives (linas).")] = "ridge",
        population: Annotated[
            int | None, typer.Option(help="Validations a round; default: 4 by gnomon, else 50.")
        ] = None,
        partial_share: Annotated[
            float, typer.Option(help="Share of the examples of a partial evaluation; 1: none.")
        ] = 0.1,
        budget: Annotated[int, typer.Option(help="Cost in full validations; a larger one goes on.")] = 250,
        stop_after_s: Annotated[float | None, typer.Option(help="Stop before so many seconds.")] = None,
        stop_gain: Annotated[
            float | None, typer.Option(help="Stop between rounds when hypervolume gains less, as 0.001.")
        ] = None,
        patience: Annotated[int, typer.Option(help="Validations over which --stop-gain looks.")] = 20,
        inner_evaluations: Annotated[int, typer.Option(help="Predicted architectures a round (linas).")] = 20_000,
        constraint: Annotated[list[str] | None, typer.Option(help="Bound on the front, e.g. latency<=2ms.")] = None,
        region: Annotated[
            list[str] | None, typer.Option(help="Where hypervolume counts, e.g. latency<=12ms; forbids nothing.")
        ] = None,
        split: Annotated[str, typer.Option(help="Examples that a task's metric is searched on.")] = "validation",
        seed: Annotated[int, typer.Option(help="Seed of all randomness.")] = 0,
        config: Annotated[Path | None, typer.Option(help="TOML file with these settings; it replaces them.")] = None,
        save_config: Annotated[Path | None, typer.Option(help="Write the settings as TOML, and stop.")] = None,
        start_from: Annotated[
            Path | None, typer.Option("--from", help="Start from another run on the space, e.g. another device's.")
        ] = None,
        checkpoint: Checkpoint = None,
        data: Data = None,
        force: Force = False,
    ) -> None:
        """Search a space, the profile's unless named: validate on the super-network, take latency from the profile."""
        from ..api import load_run
        from ..api import search as run_search
        from ..search import SearchConfig
        from .named_profiles import load_profiles
        from .pareto import print_run
        from .settings import config_from_toml, toml_from_config

        loaded = load_profiles(profile or ())
        named = named_space(space, space_option, default=None)
        settings = (
            config_from_toml(config)
            if config
            else SearchConfig(
                space=named or space_of(loaded),
                objectives=tuple(name.strip() for name in objectives.split(",") if name.strip()),
                tactic=tactic,
                algorithm=algorithm,
                surrogate=surrogate,
                population=population,
                partial_share=partial_share,
                budget=budget,
                stop_after_s=stop_after_s,
                stop_gain=stop_gain,
                patience=patience,
                inner_evaluations=inner_evaluations,
                constraints=tuple(constraint or ()),
                region=tuple(region or ()),
                split=split,
                seed=seed,
            )
        )
        if save_config:
            toml_from_config(settings, save_config, force=force)
            print(save_config)
            return
        other = load_run(start_from) if start_from else None
        with progress(f"search {settings.space} by {settings.tactic}") as report:
            run = run_search(
                settings,
                out,
                profile=loaded,
                checkpoint=checkpoint,
                data=data,
                start_from=other,
                force=force,
                on_progress=search_progress(report),
                on_step=say,
            )
        print_run(run, profile=loaded)
