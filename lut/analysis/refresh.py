"""Time a handful of a saved profile's models again, and rescale the profile where its device moved as a whole.

The raw times of the file stay as they were measured; the header says by what they are multiplied on reading. Where
runtime or hardware is another, or models moved differently, no factor mends a profile, and it has to be measured anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from ...outputs import OutputUnusable, require_free
from ...profilers.results.parsing import read_results
from ...profilers.results.results import Results
from ...profilers.timing.measurement import Measurement
from ...profilers.timing.plan import PlannedModel, write_plan
from ...profilers.timing.protocol import TimingPolicy
from ...profilers.transports.local import LocalDevice
from ...profilers.transports.transport import Transport
from ...supernets import LayerSpec
from ...temporary import temporary_folder
from ...version import VERSION
from ..errors import LutError, ProfileMismatch
from ..latency_model.fit_report import FitReport
from ..measuring.measure import device_differences
from ..measuring.networks import layer_model, network_parts, timed_model
from ..profile_file.profile import HardwareProfile
from ..profile_file.schema import ProfileHeader, ProfileRefresh
from ..profile_file.store import PROFILE, SUFFIX, parse, path_of_profile, read_records, seal
from .validity import Validity, validity_of

LAYERS, NETWORKS, PROCESSES = 16, 8, 3
FEWEST = 6  # models that say something of a whole profile
POLICY = TimingPolicy(min_passes=4, clean_blocks=16, processes=1, time_cap_s=20.0)

OnProgress = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Sampled:
    """A model of a profile that is timed again: its key, its kind, and its measurement in the profile."""

    key: str
    group: str
    then: Measurement
    indices: tuple[int, ...] = ()  # of a whole network


@dataclass(frozen=True)
class Refreshed:
    """Whether a profile still holds; the profile to use, if there is one; and the new file, where it was rescaled."""

    validity: Validity
    profile: HardwareProfile | None
    path: Path | None


def refresh_profile(
    source: str | Path,
    out: str | Path | None = None,
    *,
    device: Transport | None = None,
    policy: TimingPolicy | None = None,
    force: bool = False,
    on_progress: OnProgress | None = None,
) -> Refreshed:
    """Time some layers and networks of the profile at `source` again, on `device` (None: this one), in a few seconds.

    Where the device moved as a whole, a rescaled profile is written to `out` (default: named after the old one, here).
    Raises ProfileMismatch, field by field, for another device, hardware, runtime or options than the profile's, and for
    an imported profile; UnknownProfile, ProfileDamaged, OutputUnusable, LutError when too few of its models can be
    timed, and the errors of profilers.
    """
    path = path_of_profile(source)
    profile = parse(path)
    out = Path(out or f"{profile.name}.refreshed{SUFFIX}")
    require_free(out, PROFILE, force=force)
    if profile.header.source.kind == "imported":
        raise ProfileMismatch(
            f"{profile.name} was imported from a table, and says nothing of how it was timed; profile anew: "
            f"gnomon profile --space {profile.header.space} --backend {profile.header.backend}",
            fields=("source",),
        )
    device = device or LocalDevice()
    require_same(profile, device_differences(profile, device.hardware()))
    device.require(profile.header.backend)
    sampled = sample_of(profile)
    taken = list(timed_again(profile, sampled, device, policy or POLICY, on_progress))
    known = [model for model in sampled if all(model.key in found for found in taken)]
    if len(known) < FEWEST:
        raise LutError(
            f"{len(known)} of {len(sampled)} models of {profile.name} could be timed again; it takes {FEWEST} to judge "
            f"it. Profile anew: gnomon profile --space {profile.header.space} --backend {profile.header.backend}"
        )
    validity = validity_of(
        [model.key for model in known],
        [model.group for model in known],
        [model.then for model in known],
        [[found[model.key] for model in known] for found in taken],
    )
    if validity.answer != "moved":
        return Refreshed(validity, profile if validity.answer == "holds" else None, None)
    return Refreshed(validity, rescaled(path, profile, validity, out, force=force), out)


def require_same(profile: HardwareProfile, differences: Sequence[str]) -> None:
    """Raise ProfileMismatch, naming the fields, where what the profile was measured on differs from what is here."""
    if differences:
        raise ProfileMismatch(
            f"{profile.name} was measured on something else: {'; '.join(differences)}. No factor mends that; profile "
            f"anew: gnomon profile --space {profile.header.space} --backend {profile.header.backend}",
            fields=tuple(difference.partition(":")[0] for difference in differences),
        )


def sample_of(profile: HardwareProfile) -> list[Sampled]:
    """Choose layers of every kind and whole networks, from quick to slow; those seen undisturbed, where there are."""
    kinds: dict[str, list[Sampled]] = {}
    for key, found in profile.table.measurements.items():
        kind = LayerSpec.from_key(key).kind
        kinds.setdefault(kind, []).append(Sampled(key, f"layers of kind {kind}", found))
    networks = [
        Sampled(f"network:{network.id}", "whole networks", found, network.indices)
        for network, found in zip(profile.networks, profile.network_measurements)
    ]
    chosen: list[Sampled] = []
    left = LAYERS
    for number, kind in enumerate(sorted(kinds, key=lambda kind: len(kinds[kind]))):
        share = min(len(kinds[kind]), max(1, left // (len(kinds) - number)))
        chosen += spread(kinds[kind], share)
        left -= share
    return chosen + spread(networks, NETWORKS)


def spread(models: Sequence[Sampled], count: int) -> list[Sampled]:
    """Return so many of some models, evenly from the quickest to the slowest."""
    clean = [model for model in models if model.then.is_undisturbed]
    ordered = sorted(clean if len(clean) >= count else models, key=lambda model: model.then.value_us)
    places = np.unique(np.round(np.linspace(0, len(ordered) - 1, min(count, len(ordered)))).astype(int))
    return [ordered[place] for place in places] if ordered else []


def timed_again(
    profile: HardwareProfile,
    sampled: Sequence[Sampled],
    device: Transport,
    policy: TimingPolicy,
    on_progress: OnProgress | None,
) -> Iterator[Mapping[str, Measurement]]:
    """Yield the measurements of some models in one process after the other; raises as `refresh_profile`."""
    with temporary_folder() as folder:
        for number in range(PROCESSES):
            plan, results = folder / f"plan-{number}", folder / f"results-{number}.jsonl"
            write_plan(
                plan,
                backend=profile.header.backend,
                config=profile.run_config,
                policy=replace(policy, seed=number),
                models=planned(profile, sampled),
            )
            device.run(plan, results, on_progress=on_progress)
            found = read_results(results)
            require_same(profile, environment_differences(profile.header, found))
            yield found.measurements


def planned(profile: HardwareProfile, sampled: Sequence[Sampled]) -> Iterator[PlannedModel]:
    """Yield the models as plans time them."""
    config, bits = profile.run_config, profile.weight_bits
    for model in sampled:
        if not model.indices:
            spec = LayerSpec.from_key(model.key)
            yield PlannedModel(model.key, "layer", layer_model(spec, config, weight_bits=bits))
            continue
        architecture = profile.space.architecture(np.array(model.indices))
        parts = network_parts(profile.space, architecture, config, weight_bits=bits)
        yield PlannedModel(model.key, "network", timed_model(parts))


def environment_differences(header: ProfileHeader, found: Results) -> tuple[str, ...]:
    """Say, field by field, how versions and options of a run differ from a profile's; those that only one has too."""
    session = found.sessions[0]
    then = {f"versions.{name}": value for name, value in header.versions.items()}
    now: dict[str, object] = {f"versions.{name}": value for name, value in session.versions.items()}
    if header.options and session.options:
        then |= {f"options.{name}": value for name, value in header.options.items()}
        now |= {f"options.{name}": value for name, value in session.options.items()}
    pairs = {name: (then.get(name), now.get(name)) for name in {**then, **now}}
    return tuple(f"{name}: profile {a!r}, here {b!r}" for name, (a, b) in pairs.items() if a != b)


def rescaled(path: Path, profile: HardwareProfile, validity: Validity, out: Path, *, force: bool) -> HardwareProfile:
    """Write the profile with the factor in its header, read it back, and return it; raises OutputUnusable."""
    before = profile.header.refreshed
    refreshed = ProfileRefresh(
        name=profile.name,
        sha256=profile.digest,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        factor=round((before.factor if before else 1.0) * validity.ratio, 6),
        ratio=round(validity.ratio, 6),
        low=round(validity.low, 6),
        high=round(validity.high, 6),
        models=len(validity.models),
        processes=validity.processes,
    )
    fields = profile.header.model_dump() | {"version": ProfileHeader.model_fields["version"].default, "gnomon": VERSION}
    header = ProfileHeader.model_validate(fields | {"refreshed": refreshed})
    body = [record for record in read_records(path) if not isinstance(record, (ProfileHeader, FitReport))]
    report = profile.latency.widened(refreshed.log_ratio).report
    try:
        seal(out, header, body, report, force=force)
    except OSError as error:
        raise OutputUnusable(f"cannot write {out}: {error}") from error
    return parse(out)
