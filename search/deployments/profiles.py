"""The hardware profiles that a search takes latency from.

One is plain `latency`; several by name are several devices, latency@NAME each; several without names are deployments on
one device (`deployment.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...supernets.precision import FP32, is_calibrated
from ...supernets.registry import precisions_in
from ...supernets.space.space import SearchSpace
from ..errors import InvalidConfig
from ..problem.build import check_instances, family_of
from ..problem.context import PredictsLatency
from ..problem.task_metric import metrics_for
from .deployment import Deployments
from .provenance import LATENCY, Deployment, Provenance, Source

if TYPE_CHECKING:
    from ...lut import HardwareProfile

    Profiles = HardwareProfile | Mapping[str, HardwareProfile] | Sequence[HardwareProfile] | None


@dataclass(frozen=True)
class LatencySources:
    """What a search takes from hardware profiles: the space, latency models by name, and what it keeps of them.

    `space` is the one asked for, or the same with the precision as a choice. `precision` is what networks are
    validated in where it is no choice.
    """

    space: SearchSpace
    latencies: Mapping[str, PredictsLatency]
    provenance: Provenance
    precision: str = FP32

    @property
    def precisions(self) -> tuple[str, ...]:
        """Every precision that networks are validated in."""
        return precisions_in(self.space) or (self.precision,)

    @property
    def weight_bits(self) -> int | None:
        """The bits of int8 weights; None where nothing is validated in int8."""
        return self.provenance.weight_bits


def searched(profile: Profiles, space: SearchSpace, objectives: Sequence[str] = ()) -> LatencySources:
    """Take a search's latencies from one profile, several by name, or several deployments on one device.

    Of deployments, precisions that cannot gain anything in the `objectives` are left out (`Deployments.from_profiles`);
    where one of these is neither a task's metric nor cheap, as memory, none is.

    Raises InvalidConfig for names that are none, precisions that differ between named profiles, or deployments that do
    not belong together; ProfileMismatch for a profile of another space; LatencyMissing.
    """
    if isinstance(profile, Sequence):
        cheap = all(family_of(name) in (*metrics_for(space), LATENCY, "macs", "params") for name in objectives)
        deployments = Deployments.from_profiles(profile, space, keep_all=not cheap)
        kept: dict[str, Any] = {"profile": None, "deployments": deployments.each}
        if not deployments.space.settings and deployments.precision != FP32:
            kept["precision"] = deployments.precision
        kept |= weight_bits_of(
            [member for member in profile if member.header.config.precision in deployments.precisions]
        )
        if deployments.left_out:
            kept["left_out"] = tuple(deployment.label for deployment in deployments.left_out)
        return LatencySources(deployments.space, {"": deployments}, Provenance(**kept), deployments.precision)
    profiles = named(profile)
    check_instances(profiles)
    for member in profiles.values():
        member.require_for(space.name)
    precision = precision_of(profiles)
    latencies = {name: member.latency for name, member in profiles.items()}
    return LatencySources(space, latencies, provenance_from(profiles), precision)


def named(profile: HardwareProfile | Mapping[str, HardwareProfile] | None) -> dict[str, HardwareProfile]:
    """Return profiles by name, the one of plain `latency` as ""."""
    return dict(profile) if isinstance(profile, Mapping) else {} if profile is None else {"": profile}


def precision_of(profiles: Mapping[str, HardwareProfile]) -> str:
    """Return the precision that all profiles are of, fp32 without any; raises InvalidConfig where they differ."""
    by_name = {name: profile.header.config.precision for name, profile in profiles.items()}
    if len(set(by_name.values())) > 1:
        listed = ", ".join(f"{name or profiles[name].name}: {precision}" for name, precision in by_name.items())
        raise InvalidConfig(
            f"the profiles are of different precisions ({listed}), and a network is as good as one of them makes it; "
            "search each apart, or give profiles of one device without names: then precision is searched too",
            field="profile",
        )
    return next(iter(by_name.values()), FP32)


def provenance_from(profiles: Mapping[str, HardwareProfile]) -> Provenance:
    """Return what a run keeps of its profiles; raises InvalidConfig where they differ in precision."""
    sources = {name: Source.of(profile) for name, profile in profiles.items()}
    precision = precision_of(profiles)
    plain = sources.pop("", None)
    kept: dict[str, Any] = {"profile": plain, "profiles": sources} if sources else {"profile": plain}
    kept |= weight_bits_of(list(profiles.values()))
    return Provenance(**kept) if precision == FP32 else Provenance(**kept, precision=precision)


def weight_bits_of(profiles: Sequence[HardwareProfile]) -> dict[str, int]:
    """Return the bits of int8 weights for provenance: the fewest that one of the devices takes, which all run right.

    Nothing where no profile is of int8.
    """
    bits = [profile.weight_bits for profile in profiles if is_calibrated(profile.header.config.precision)]
    return {"weight_bits": min(bits)} if bits else {}


def one_profile(profile: Profiles, deployment: Deployment | None) -> HardwareProfile | None:
    """Return the profile that knows `deployment` (None: any), or the only one given; None for none.

    Raises InvalidConfig where several are given and which one is meant cannot be told.
    """
    several = by_name(profile)
    if len(several) < 2 and (deployment is None or not several):
        return next((candidate for _, candidate in several), None)
    for _, candidate in several:
        if deployment is not None and candidate.digest == deployment.sha256:
            return candidate
    wanted = "one"
    if deployment is not None:
        wanted = f"{deployment.name} ({deployment.sha256[:12]}), as what is chosen runs on {deployment.label}"
    raise InvalidConfig(
        f"give the profile {wanted}; given are {', '.join(p.name for _, p in several)}", field="profile"
    )


def by_name(profile: Profiles) -> tuple[tuple[str, HardwareProfile], ...]:
    """Return profiles with their names, "" where they have none."""
    if isinstance(profile, Mapping):
        return tuple(profile.items())
    if isinstance(profile, Sequence):
        return tuple(("", member) for member in profile)
    return () if profile is None else (("", profile),)


def sources_in(provenance: Provenance) -> list[dict[str, str]]:
    """Return name and sha256 of each profile that a run's latencies are of, and the objective that each stands for."""
    deployments: list[tuple[str, Source]] = [(LATENCY, source) for source in provenance.deployments]
    sources = deployments or list(provenance.sources.items())
    return [{"objective": name, "name": source.name, "sha256": source.sha256} for name, source in sources]
