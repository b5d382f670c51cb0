"""Make bundles of spaces, and hardware profiles of what they bring back from devices.

A bundle asks for what `build_profile` would measure, on a backend and with threads that are chosen on the device. What
comes back is untrusted; `bundle_checks.py` checks it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...outputs import appearing, file_kind
from ...profilers.run_config import RunConfig
from ...profilers.timing.protocol import TimingPolicy
from ...profilers.transports.bundle import is_bundle, write_bundle
from ...profilers.transports.manifest import Bundle
from ...supernets import load_space
from ...supernets.layers.registry import params
from ...supernets.precision import is_calibrated
from ...version import VERSION
from ..errors import LutError
from ..latency_model.model import MIN_NETWORKS
from ..profile_file.profile import HardwareProfile
from ..profile_file.quantisation import weight_bits_for
from ..profile_file.store import load_profile
from .build import ProfileRequest, plan_for, rows_for, write_profile
from .bundle_checks import check_items, check_results, read_returned, space_of

WEIGHT_BYTES = {"fp32": 4, "bf16": 4, "fp16": 2, "int8": 1}  # in a file; for bf16 the runtime is told

BUNDLE = file_kind("a bundle", is_bundle)


@dataclass(frozen=True, slots=True)
class BundleEstimate:
    """How much there is to carry and to measure, told without building any model.

    layers, networks: how many models of each; size_mib: of all, unpacked; minutes: of measuring at least, on a
    device that takes next to no time for a model, and at most, after which no visit begins.
    """

    layers: int
    networks: int
    size_mib: float
    minutes: tuple[float, float]


def bundle_request(
    space: str, *, precision: str, batch: int, networks: int, layers: bool, policy: TimingPolicy
) -> ProfileRequest:
    """Return what a bundle is to ask for; backend and threads are left to the device. Raises LutError.

    The device is not known yet, so int8 weights are those that every processor takes.
    """
    try:
        config = RunConfig(precision=precision, batch=batch)
    except ValueError as error:
        raise LutError(str(error)) from error
    bits = weight_bits_for(config.device, {}) if is_calibrated(precision) else None
    return ProfileRequest(space, "", config, networks, layers=layers, policy=policy, weight_bits=bits)


def estimate_bundle(request: ProfileRequest) -> BundleEstimate:
    """Say how large a request's bundle will be and how long it will take; raises LutError for too few networks."""
    space, policy = load_space(request.space), request.policy
    rows = rows_for(request, space)
    if len(rows) < MIN_NETWORKS:
        raise LutError(f"{len(rows)} whole networks would be measured; it takes {MIN_NETWORKS} to verify a profile")
    layers = space.unique_layers() if request.layers else ()
    weights = sum(params(spec) for spec in layers) + float(space.params(rows).sum())
    visits = policy.min_passes * (len(layers) + len(rows)) * (1 + 1 / policy.anchor_every)
    quickest_s = visits * (policy.warmup_us + policy.blocks_per_visit * policy.block_us) / 1e6
    quickest_s = min(max(quickest_s, policy.settle_s), policy.time_cap_s)
    return BundleEstimate(
        layers=len(layers),
        networks=len(rows),
        size_mib=weights * WEIGHT_BYTES[request.config.precision] / 2**20,
        minutes=(quickest_s / 60, policy.time_cap_s / 60),
    )


def create_bundle(request: ProfileRequest, out: str | Path, *, force: bool = False) -> Bundle:
    """Build all models of a request and write them with the worker as the zip file `out`.

    Takes seconds to minutes, and twice the bundle's size of disk meanwhile. Raises OutputUnusable,
    LutError for too few networks.
    """
    out = Path(out)
    estimate_bundle(request)
    space = load_space(request.space)
    origin = {
        "gnomon": VERSION,
        "space": space.name,
        "space_digest": space.digest,
        "networks": request.networks,
        "layers": request.layers,
        "seed": request.seed,
        "weight_bits": request.weight_bits,
    }
    config = request.config
    with appearing(out, BUNDLE, force=force) as fresh:
        building = fresh.with_name("building")
        building.mkdir()
        plan = plan_for(request, space, building)
        title = f"{len(plan.items)} models of {space.name}, {config.precision}, batch {config.batch}"
        return write_bundle(fresh, building / "plan", plan=plan, origin=origin, title=title)


def import_results(
    bundle: str | Path, results: str | Path, out: str | Path | None = None, *, force: bool = False
) -> tuple[HardwareProfile, Path]:
    """Turn what a device measured of a bundle into a profile, and return it with its path (None: named as others are).

    Raises BundleDamaged, PlanMismatch (results of another bundle), ResultsIncomplete, JournalDamaged, ProfileMismatch
    (another space than here), OutputUnusable, and LutError for values that no run gives.
    """
    out = None if out is None else Path(out)
    results = Path(results)
    bundle = Path(bundle)
    carried, found, plan = read_returned(bundle, results)
    space = space_of(carried.origin, bundle)
    check_items(space, plan.items, bundle)
    check_results(plan, found, results)
    request = ProfileRequest(
        space.name,
        found.backend,
        found.config,
        layers=bool(carried.origin["layers"]),
        policy=carried.policy,
        weight_bits=carried.origin.get("weight_bits"),
    )
    try:
        path = out or Path(request.file_name(found.sessions[0].hardware.slug_of(request.config.device)))
        write_profile(request, space, plan, found, path, force=force)
    except (ValueError, TypeError, AttributeError, OverflowError) as error:  # records are judged by whoever uses them
        raise LutError(f"{results} holds values that no run gives: {error}. Copy it from the device again") from error
    return load_profile(path), path
