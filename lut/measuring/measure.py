"""Time a model under a profile's conditions, to compare the prediction with a measurement.

The profile's anchor is timed beside it: the factor by which the anchor is slower than in the profile is due to the
machine, not to the model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...profilers.errors import BackendBroken, BackendUnavailable, DeviceBusy, RuntimeConflict, UnknownBackend
from ...profilers.machine.hardware import Hardware, fingerprint
from ...profilers.results.application import SeenByApplication
from ...profilers.results.drift import anchors_us
from ...profilers.results.parsing import read_results
from ...profilers.results.results import Results
from ...profilers.runtimes.registry import load_backend
from ...profilers.timing.application import Application
from ...profilers.timing.measurement import Measurement
from ...profilers.timing.plan import Model, PlannedModel, write_plan
from ...profilers.timing.protocol import TimingPolicy
from ...profilers.transports.local import LocalDevice
from ...profilers.transports.transport import Transport
from ...profilers.worker.lock import wait_for_device
from ...supernets import LayerSpec
from ...temporary import temporary_folder
from ..errors import LutError
from ..profile_file.profile import HardwareProfile
from ..profile_file.schema import ANCHOR
from .networks import layer_model

SAME_DEVICE = ("cpu_model", "cpus", "architecture", "virtual_machine")  # and the name made of some of them
POLICY = TimingPolicy(min_passes=8, anchor_every=1, time_cap_s=30.0)
FURTHER_S = 6.0  # for each model beyond the first


@dataclass(frozen=True, slots=True)
class Remeasured:
    """A model's measurement, and how long the anchor took now relative to when the profile was made.

    seen: what an application sees of it, where that was asked for and could be timed.
    """

    measurement: Measurement
    anchor_ratio: float
    seen: SeenByApplication | None = None


@dataclass(frozen=True, slots=True)
class RemeasuredTogether:
    """Measurements of several models by key, why the others failed, and how slow the anchor was meanwhile.

    seen: what an application sees of each, where that was asked for and could be timed.
    """

    measurements: Mapping[str, Measurement]
    failures: Mapping[str, str]
    anchor_ratio: float
    seen: Mapping[str, SeenByApplication]


def is_this_device(profile: HardwareProfile, device: Transport | None = None) -> bool:
    """Tell whether the profile was measured on a machine like `device` (None: this one)."""
    return not device_differences(profile, None if device is None else device.hardware())


def device_differences(profile: HardwareProfile, here: Hardware | None = None) -> tuple[str, ...]:
    """Say, field by field, how the profile's device differs from `here` (None: this machine), or nothing.

    Kernel, memory and governor may change without making it another device.
    """
    here = here or fingerprint()
    device = here.slug_of(profile.header.config.device)
    pairs: dict[str, tuple[object, object]] = {"device": (profile.header.device, device)}
    pairs.update({name: (profile.header.hardware.get(name), getattr(here, name)) for name in SAME_DEVICE})
    return tuple(f"{name}: profile {then!r}, here {now!r}" for name, (then, now) in pairs.items() if then != now)


def reason_not_here(profile: HardwareProfile, device: Transport | None = None) -> str:
    """Say why `device` (None: this machine), or its runtime, is not the profile's; nothing where it is.

    Which version of the runtime another device has is seen when it measures.
    """
    if differences := device_differences(profile, None if device is None else device.hardware()):
        return f"the profile is of another device ({'; '.join(differences)})"
    name = profile.header.backend
    try:
        if device is not None and not isinstance(device, LocalDevice):
            device.require(name)
            return ""
        here, then = load_backend(name).version(), profile.header.runtime_version
    except RuntimeConflict:  # in this process only; measuring takes one of its own, which will say what it finds
        return ""
    except (BackendBroken, BackendUnavailable, UnknownBackend) as error:
        return str(error)
    return "" if here == then else f"the profile is of another runtime ({name}: profile {then}, here {here})"


def application_with(period_ms: float | None) -> Application:
    """Return an application with one inference every `period_ms`, None: only its start; raises LutError."""
    try:
        return Application(None if period_ms is None else period_ms * 1e3)
    except ValueError as error:
        raise LutError(str(error)) from error


def measure_model(
    profile: HardwareProfile,
    model: Model,
    *,
    application: Application | None = None,
    device: Transport | None = None,
    on_wait: Callable[[str], None] | None = None,
) -> Remeasured:
    """Time a model or program with the profile's backend and configuration, in a child process, up to half a minute.

    With an `application`, as that sees it too, which takes some thirty periods, up to four times as many on a busy
    machine. With `on_wait` it waits for a device that measures something else, and tells so; without it raises
    DeviceBusy. Raises LutError when the model, or the profile's anchor, cannot be timed, and the errors of profilers.
    """
    found = measure_models(profile, {"model": model}, application=application, device=device, on_wait=on_wait)
    if "model" not in found.measurements:
        raise LutError(f"the model could not be timed: {found.failures.get('model', 'no visit')}")
    return Remeasured(found.measurements["model"], found.anchor_ratio, found.seen.get("model"))


def measure_models(
    profile: HardwareProfile,
    models: Mapping[str, Model],
    *,
    application: Application | None = None,
    device: Transport | None = None,
    building: str | Path | None = None,
    on_progress: Callable[[Mapping[str, Any]], None] | None = None,
    on_wait: Callable[[str], None] | None = None,
) -> RemeasuredTogether:
    """Time several models as `measure_model` times one: interleaved, so that slow moments of the machine hit all alike.

    The folder `building` keeps plan and results, so that the same call goes on after an interruption, also in the
    middle; without it they are temporary. Takes up to half a minute and six seconds for each further model; `on_wait`
    is as in `measure_model`. Raises LutError when the profile's anchor cannot be timed, and the errors of profilers,
    among them PlanMismatch for a folder of other models and EnvironmentChanged.
    """
    building = None if building is None else Path(building)
    if not profile.anchors:
        raise LutError(f"profile {profile.name} has no anchor, so times of now and then cannot be compared")
    config = profile.run_config
    anchor_key = profile.anchors[0].key
    spec = LayerSpec.from_key(anchor_key.removeprefix(ANCHOR))
    planned = [PlannedModel(anchor_key, "anchor", layer_model(spec, config, weight_bits=profile.weight_bits))]
    planned += [PlannedModel(key, "network", model) for key, model in models.items()]
    policy = replace(POLICY, time_cap_s=POLICY.time_cap_s + FURTHER_S * (len(models) - 1))
    with ExitStack() as stack:
        folder = building or stack.enter_context(temporary_folder())
        folder.mkdir(exist_ok=True)
        plan, results = folder / "plan", folder / "results.jsonl"
        backend = profile.header.backend
        write_plan(plan, backend=backend, config=config, policy=policy, models=planned, application=application)
        if device is None or isinstance(device, LocalDevice):
            run_here(plan, results, on_progress, on_wait)
        else:
            device.run(plan, results, on_progress=on_progress)
            require_runtime(profile, read_results(results))
        found = read_results(results)
    if not found.anchors:
        raise LutError(f"the anchor {anchor_key} of profile {profile.name} could not be timed here")
    then = anchors_us(profile.anchors)
    now = anchors_us(found.anchors)
    failures = {failure.key: failure.reason for failure in found.failures}
    return RemeasuredTogether(found.measurements, failures, now / then, found.applications)


def require_runtime(profile: HardwareProfile, found: Results) -> None:
    """Raise LutError where models were timed in another version of the runtime than the profile's."""
    then = profile.header.model_copy(update={"versions": dict(found.sessions[0].versions)})
    if then.runtime_version != profile.header.runtime_version:
        raise LutError(
            f"the profile is of another runtime ({profile.header.backend}: profile {profile.header.runtime_version}, "
            f"device {then.runtime_version})"
        )


def run_here(
    plan: Path,
    results: Path,
    on_progress: Callable[[Mapping[str, Any]], None] | None,
    on_wait: Callable[[str], None] | None,
) -> None:
    """Run a plan on this machine, once nothing else is measured where `on_wait` can be told so."""
    while True:
        if on_wait is not None:
            wait_for_device(on_wait)
        try:
            LocalDevice().run(plan, results, on_progress=on_progress)
            return
        except DeviceBusy:  # somebody else was quicker
            if on_wait is None:
                raise
