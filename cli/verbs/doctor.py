"""`gnomon doctor`: what makes timings noisy here, and which energy counters there are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ..options.common import AsJson
from ..printing.anonymous import names_here, without_names
from ..printing.table import print_json, print_table

if TYPE_CHECKING:
    from ...profilers.machine.hardware import CoreNoise, Hardware, NoiseCause
    from ...profilers.resources.counter import CounterState
    from ...supernets.threads import Threads

PACKAGES = (
    *("numpy", "onnx", "onnxruntime", "onnxruntime-gpu", "onnxruntime-ep-openvino", "openvino", "tensorrt"),
    *("tensorrt-rtx-cu13", "torch", "pymoo", "moocore", "scikit-learn", "scipy", "pydantic", "typer"),
)
WATCH_S = 3.0  # to see spells of a second or two


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def doctor(
        as_json: AsJson = False,
        strict: Annotated[bool, typer.Option("--strict", help="Exit 4 when the verdict is bad.")] = False,
    ) -> None:
        """Say how good this machine is for timing now, what disturbs it, and how to fix that.

        With --json, for a bug report: names of users and hosts are left out.
        """
        from dataclasses import asdict

        from ...profilers.machine.hardware import advice, core_noise, fingerprint, noise_causes
        from ...profilers.machine.noise.packages import package_causes
        from ...profilers.resources.counter import counter_states
        from ...supernets.threads import processors, validation_threads
        from ..exits import QualityRefused

        hardware, noise = fingerprint(), core_noise(watch_s=WATCH_S)
        causes = (*noise_causes(), *package_causes())
        steps, counters = advice(causes, noise), counter_states()
        threads = validation_threads(processors(), os.environ)
        if as_json:
            found = {
                "versions": installed_versions(),
                "hardware": hardware.to_json(),
                "causes": [asdict(cause) for cause in causes],
                "jitter_relative_iqr": noise.relative_iqr,
                "shared": noise.shared,
                "slow_down": noise.slow_down,
                "spells_s": noise.spells_s,
                "verdict": noise.verdict,
                "advice": steps,
                "validation": asdict(threads),
                "energy_counters": [asdict(state) for state in counters],
            }
            print_json(without_names(found, names_here()))
        else:
            print_machine(hardware, noise)
            print_causes(causes)
            print_advice(steps)
            print_validation(threads)
            print_counters(counters)
        if strict and noise.verdict == "bad":
            raise QualityRefused(
                f"this machine is too noisy to measure on: {noise.sentence}, and a probe repeats within "
                f"{100 * noise.relative_iqr:.1f} % (IQR); "
                + (f"begin with {steps[0]}" if steps else "measure at a quieter hour")
            )


def installed_versions() -> dict[str, str]:
    """Return the versions of Gnomon, Python, and the packages that can change what either does."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from ...version import VERSION

    found = {"gnomon": VERSION, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def print_machine(hardware: Hardware, noise: CoreNoise) -> None:
    """Print which machine this is, and how it times now."""
    print(f"device   {hardware.slug}: {hardware.cpu_model}, {hardware.cpus} CPUs, {hardware.memory_mib} MiB")
    print(f"verdict  {noise.verdict}: {noise.sentence}")
    print(f"jitter   while the core is ours, a probe of some 20 us repeats within {100 * noise.relative_iqr:.1f} %")


def print_causes(causes: Sequence[NoiseCause]) -> None:
    """Print every cause as a row, and why those that are not ok matter."""
    print_table(
        ("", "cause", "found", "why it matters"),
        [(cause.severity, cause.name, cause.value, "" if cause.severity == "ok" else cause.why) for cause in causes],
    )


def print_advice(steps: Sequence[str]) -> None:
    """Print what to do before measuring."""
    print("before `gnomon profile`:" if steps else "nothing to do before `gnomon profile`")
    for number, step in enumerate(steps, start=1):
        print(f"  {number}. {step}")


def print_validation(threads: Threads) -> None:
    """Print how a search would validate now, and warn where other work slows that down."""
    print(f"validation, as by `gnomon search`: {threads}")
    if threads.busy:
        print(f"  this machine is busy: {threads.busy} as alone; validate when it is idle, or elsewhere")


def print_counters(counters: Sequence[CounterState]) -> None:
    """Print which energy counters can be read, and why the others cannot; that none can is no fault of the machine."""
    print("energy counters, for --objectives accuracy,energy:")
    for state in counters:
        print(f"  {state.name} ({', '.join(state.devices)}): {'no, ' if state.unavailable else ''}{state}")
