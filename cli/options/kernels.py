"""What the options of `profile --kernels` and `bundle create --kernels` ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import typer

from ...settings import Setting
from .from_settings import given

if TYPE_CHECKING:
    from ...lut.kernels.measuring.build import KernelRequest


def kernel_request(
    context: typer.Context, settings: Mapping[str, Setting], backend: str, asked: Mapping[str, Any]
) -> KernelRequest:
    """Return what the command line asks for; `settings` are those of the verb, and `asked` their values.

    Without a backend it is chosen on the device, and so are threads. Raises BadParameter for what is of spaces.
    """
    from ...lut.kernels.measuring.build import KernelRequest
    from ...profilers.run_config import RunConfig
    from ...profilers.runtimes.registry import device_of

    chosen = given(context, settings, asked)
    for name in ("precision", "batch"):
        if chosen.get(name) is not None:
            raise typer.BadParameter(f"--{name} is of spaces; kernels are of the models that they are cut from")
    config = RunConfig(device=device_of(backend), threads=asked["threads"]) if backend else RunConfig()
    default = KernelRequest(backend, config)
    return replace(
        default,
        networks=chosen.get("networks", default.networks),
        policy=replace(default.policy, time_cap_s=chosen.get("time_cap_s", default.policy.time_cap_s)),
    )
