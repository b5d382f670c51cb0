"""`gnomon demo`: all three journeys on this machine, in a few minutes."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..options.common import Force
from ..printing.progress import progress, worker_progress
from ..printing.report import print_report

if TYPE_CHECKING:
    from ...lut import HardwareProfile
    from ...search import Run

BACKENDS = ("onnxruntime", "openvino")
NETWORKS = 24
TIME_CAP_S = 60.0
BUDGET, POPULATION = 48, 4
FEW = 5  # members of the front that are shown
SHOWN = ("runtime", "core", "error", "quality")  # facts of a profile that are
REPORT_NAME = "report.html"
SPACE = "fashion_mnist"  # the embedded super-network
FINAL_HEADING = "5. Validate the front on images the search did not use, and time it on this machine"
EXPORT_HEADING = "6. Export the knee of the front, check it, time it"


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def demo(
        out: Annotated[Path, typer.Option(help="Folder for everything the demo writes.")] = Path("gnomon-demo"),
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="Say what it would do and how long, and stop.")
        ] = False,
        force: Force = False,
    ) -> None:
        """Profile this machine on two runtimes, search the embedded super-network, check its front, export the knee."""
        started = time.monotonic()
        if dry_run:
            show_plan(out, anew=force)
            return
        if force:
            remove_demo(out)
        heading("1. This machine")
        show_machine()
        profiles = []
        for number, backend in enumerate(BACKENDS, 2):
            heading(profile_heading(number, backend))
            profiles.append(show_profile(backend, out))
        heading(search_heading())
        run = show_search(profiles[0], out)
        heading(FINAL_HEADING)
        show_final(run, profiles[0], out)
        heading(EXPORT_HEADING)
        show_export(run, profiles[0], out)
        print_report(out / REPORT_NAME, run, *profiles)
        print(f"\ndone in {time.monotonic() - started:.0f} s; everything is in {out}")


def profile_heading(number: int, backend: str) -> str:
    """Return the heading of the part that measures a profile."""
    return f"{number}. Profile {backend}: every layer, and {NETWORKS} whole networks that verify the table"


def search_heading() -> str:
    """Return the heading of the part that searches."""
    return f"4. Search: {BUDGET} validations, accuracy against {BACKENDS[0]} latency"


def show_plan(out: Path, *, anew: bool) -> None:
    """Print what the demo would do, and how long that takes; with `anew`, as if no earlier demo were there."""
    from ...api.latency import estimate_profile
    from ...lut.measuring.measure import FURTHER_S, POLICY
    from ...profilers.timing.protocol import TimingPolicy
    from ...profilers.transports.local import LocalDevice
    from ...supernets.evaluation.evaluate import seconds_of_ends
    from ...supernets.supernet import load_supernet
    from ..printing.estimate import print_models, span

    if anew:
        has_demo(out)
    least_s = most_s = 0.0
    for number, backend in enumerate(BACKENDS, 2):
        heading(profile_heading(number, backend))
        path, policy = out / f"{backend}.jsonl", TimingPolicy(time_cap_s=TIME_CAP_S)
        if os.path.lexists(path) and not anew:
            print(f"models   none: {path} was measured by an earlier demo")
            continue
        estimate = estimate_profile(
            SPACE,
            backend,
            out=path,
            precision="fp32",
            threads=1,
            batch=1,
            networks=NETWORKS,
            layers=True,
            source=None,
            policy=policy,
            force=anew,
            device=LocalDevice(),
        )
        print_models(estimate)
        least_s, most_s = least_s + 60 * estimate.minutes[0], most_s + 60 * estimate.minutes[1]
    heading(search_heading())
    low_s, high_s = sorted(seconds_of_ends(load_supernet(SPACE), "validation", precision="fp32"))
    print(f"each     {span(low_s)} to {span(high_s)}, as the smallest and the largest network were just validated")
    heading(FINAL_HEADING)
    print(f"each     as above; timing the front takes {span(POLICY.time_cap_s)} at most, and {FURTHER_S:g} s a member")
    heading(EXPORT_HEADING)
    print(f"timing   {span(POLICY.time_cap_s)} at most")
    searched = (span(least_s + BUDGET * low_s), span(most_s + BUDGET * high_s))
    print(f"\nuntil the search is done it takes {' to '.join(searched)}; nothing is written to {out} now")


def remove_demo(out: Path) -> None:
    """Remove what an earlier demo wrote; raises OutputUnusable, and removes nothing, if anything else is there."""
    if has_demo(out):
        shutil.rmtree(out)


def has_demo(out: Path) -> bool:
    """Tell whether an earlier demo wrote a folder; raises OutputUnusable if anything else is there."""
    from ...inputs import fault_of_folder
    from ...lut.measuring.building import BUILDING
    from ...lut.profile_file.store import PROFILE
    from ...outputs import Kind, OutputUnusable, require_free
    from ...reports.figures.canvas import PLOT
    from ...reports.html.report import REPORT
    from ...search.export.folder import EXPORT
    from ...search.runs.files.folder import foreign_in_run

    pictures, profiles = ("front.png", *(f"{name}.png" for name in BACKENDS)), tuple(f"{b}.jsonl" for b in BACKENDS)
    kinds: dict[str, Kind] = {"exported": EXPORT, REPORT_NAME: REPORT, "run": Kind("a run", foreign_in_run)}
    kinds |= dict.fromkeys(pictures, PLOT) | dict.fromkeys(profiles, PROFILE)
    kinds |= {f"{name}.building": BUILDING for name in profiles}
    if out.is_symlink() or fault_of_folder(out):
        require_free(out, Kind("a demo", lambda path: "is no folder of a demo"), force=True)
        return False
    for path in sorted(out.iterdir()):
        if path.name not in kinds:
            raise OutputUnusable(
                f"{out} holds {path.name}, which no demo wrote, so it is not replaced; choose another --out, or move "
                "it away"
            )
        require_free(path, kinds[path.name], force=True)
    return True


def heading(text: str) -> None:
    """Print a heading between the demo's parts."""
    print(f"\n== {text}", flush=True)


def show_machine() -> None:
    """Print how noisy this machine is, and why."""
    from ...profilers.machine.hardware import core_noise, noise_causes

    noise = core_noise()
    print(f"noise    {noise.verdict}: {noise.sentence}")
    if found := [cause.name for cause in noise_causes() if cause.severity != "ok"]:
        print(f"         disturbing: {', '.join(found)}; gnomon doctor says more")


def show_profile(backend: str, out: Path) -> HardwareProfile:
    """Measure a profile, unless an earlier demo did, and show it."""
    from ...api import load_profile, profile
    from ...profilers.timing.protocol import TimingPolicy
    from ...reports.figures import plot_fidelity
    from ..printing.profile import print_profile

    path, picture = out / f"{backend}.jsonl", out / f"{backend}.png"
    if os.path.lexists(path):
        measured = load_profile(path)
    else:
        policy = TimingPolicy(time_cap_s=TIME_CAP_S)
        with progress(f"profile {backend}") as report:
            measured = profile(
                SPACE, backend=backend, out=path, networks=NETWORKS, policy=policy, on_progress=worker_progress(report)
            )
    print_profile(measured, only=SHOWN)
    plot_fidelity(measured, picture, force=True)
    return measured


def show_search(profile: HardwareProfile, out: Path) -> Run:
    """Search the embedded super-network and show the front."""
    from ...api import run_search
    from ...reports.figures import plot_front
    from ...search import SearchConfig
    from ..printing.front import print_few
    from ..printing.live_front import search_progress

    config = SearchConfig(space=profile.header.space, budget=BUDGET, population=POPULATION)
    with search_progress(f"search {config.space}") as shown:
        run = run_search(config, out / "run", profile=profile, on_progress=shown)
    print_few(run, FEW, pick="knee")
    plot_front(run, out / "front.png", force=True)
    return run


def show_final(run: Run, profile: HardwareProfile, out: Path) -> None:
    """Finish the run, and draw its front again beside what it is worth."""
    from ...api import final_front
    from ...reports.figures import plot_front
    from ..printing.final_front import print_final
    from ..printing.progress import seldom

    final = final_front(run, profile=profile, on_step=seldom())
    print_final(final, members=False)
    plot_front(run, out / "front.png", final=final, force=True)


def show_export(run: Run, profile: HardwareProfile, out: Path) -> None:
    """Export the knee and show its checks."""
    from ...api import export
    from ..printing.exported_model import print_export
    from ..printing.progress import seldom

    folder = out / "exported"
    print_export(export(run, "knee", folder, profile=profile, force=True, on_step=seldom()))
