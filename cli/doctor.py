"""`gnomon doctor`: what makes timings noisy here, and what is installed."""

from __future__ import annotations

import typer

from .output import AsJson, print_json, print_table


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def doctor(as_json: AsJson = False) -> None:
        """Say how good this machine is for timing now, what disturbs it, and how to fix that."""
        from dataclasses import asdict

        from ..profilers.hardware import fingerprint, noise_causes, timer_noise

        hardware, causes, noise = fingerprint(), noise_causes(), timer_noise()
        if as_json:
            print_json(
                {
                    "hardware": hardware.to_json(),
                    "causes": [asdict(cause) for cause in causes],
                    "timer_relative_iqr": noise.relative_iqr,
                    "verdict": noise.verdict,
                }
            )
            return
        print(f"device   {hardware.slug}: {hardware.cpu_model}, {hardware.cpus} CPUs, {hardware.memory_mib} MiB")
        print(f"verdict  {noise.verdict}: a fixed workload repeats within {100 * noise.relative_iqr:.1f} % (IQR)")
        rows = [
            (cause.severity, cause.name, cause.value, "" if cause.severity == "ok" else cause.fix) for cause in causes
        ]
        print_table(("", "cause", "found", "fix"), rows)
        for cause in causes:
            if cause.severity != "ok":
                print(f"{cause.name}: {cause.why}")
