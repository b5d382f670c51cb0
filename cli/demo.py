"""`gnomon demo`: all three journeys on this machine, in a few minutes."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from .output import Force, progress, worker_progress

BACKENDS = ("onnxruntime", "openvino")
NETWORKS = 24
TIME_CAP_S = 60.0
BUDGET, POPULATION = 48, 12


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def demo(
        out: Annotated[Path, typer.Option(help="Folder for everything the demo writes.")] = Path("gnomon-demo"),
        force: Force = False,
    ) -> None:
        """Profile this machine on two runtimes, search the embedded super-network, export and check the knee."""
        from ..api import export, profile, search
        from ..lut import HardwareProfile
        from ..profilers.hardware import noise_causes, timer_noise
        from ..profilers.timing import TimingPolicy
        from ..reports.plots import plot_fidelity, plot_front
        from ..search import SearchConfig
        from .export import print_export
        from .lut import print_profile
        from .pareto import print_run

        started = time.monotonic()
        if force and out.exists():
            shutil.rmtree(out)
        heading("1. This machine")
        noise = timer_noise()
        print(f"noise    {noise.verdict}: a fixed workload repeats within {100 * noise.relative_iqr:.1f} % (IQR)")
        for cause in noise_causes():
            if cause.severity != "ok":
                print(f"         {cause.name}: {cause.value}; {cause.fix}")

        profiles: list[HardwareProfile] = []
        for number, backend in enumerate(BACKENDS, 2):
            heading(f"{number}. Profile {backend}: every layer, and {NETWORKS} whole networks that verify the table")
            path = out / f"{backend}.jsonl"
            if path.exists():
                from ..api import load_profile

                profiles.append(load_profile(path))
            else:
                with progress(f"profile {backend}") as report:
                    policy = TimingPolicy(time_cap_s=TIME_CAP_S)
                    measured = profile(
                        backend=backend,
                        out=path,
                        networks=NETWORKS,
                        policy=policy,
                        on_progress=worker_progress(report),
                    )
                profiles.append(measured)
            print_profile(profiles[-1])
            plot_fidelity(profiles[-1], out / f"{backend}.png", force=True)
            print(f"plot     {out / f'{backend}.png'}")

        heading(f"4. Search: {BUDGET} validations by LINAS, accuracy against {BACKENDS[0]} latency")
        config = SearchConfig(space="fashion_mnist", budget=BUDGET, population=POPULATION, inner_evaluations=5000)
        with progress("search fashion_mnist") as report:
            run = search(
                config,
                out / "run",
                profile=profiles[0],
                on_progress=lambda done, total, eta_s, evaluation, hypervolume: report(
                    done, total, eta_s, f"hypervolume {hypervolume:.4g}"
                ),
            )
        print_run(run, pick="knee", profile=profiles[0])
        plot_front(run, out / "front.png", force=True)
        print(f"plot     {out / 'front.png'}")

        heading("5. Export the knee of the front, check it, time it")
        exported = export(
            run,
            "knee",
            out / "exported",
            profile=profiles[0],
            force=True,
            on_step=lambda step: print(step, file=sys.stderr, flush=True),
        )
        print_export(exported)
        print(f"\ndone in {time.monotonic() - started:.0f} s; everything is in {out}")


def heading(text: str) -> None:
    """Print a heading between the demo's parts."""
    print(f"\n== {text}", flush=True)
