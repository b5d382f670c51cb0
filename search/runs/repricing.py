"""Price a run anew under other profiles than it was searched with: same networks, other latencies, another front.

What a search measured of a network (its accuracy, say) is kept; every latency is arithmetic over a profile, so it can
be had for another device, runtime or number of threads at no cost. Constraints and picks then mean the new latencies.
Where this would mix what was measured under one profile with what another says, it is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ...supernets.registry import PRECISION, precisions_in
from ..deployments.deployment import Deployments, require_together
from ..deployments.profiles import by_name, named
from ..deployments.provenance import LATENCY, Deployment, Provenance, Source
from ..errors import InvalidConfig, RunMismatch
from ..problem.build import family_of
from ..problem.context import PredictsLatency
from ..problem.objective import Values
from ..problem.reference import extremes
from ..problem.resource import FAMILIES
from .files.records import Evaluation, RunHeader
from .files.start import StartRecord
from .pricing import Pricing
from .run import Run

if TYPE_CHECKING:
    from ...lut import HardwareProfile
    from ..deployments.profiles import Profiles

Priced = TypeVar("Priced", Evaluation, StartRecord)


@dataclass(frozen=True)
class NewPrices:
    """Latency models by objective, deployments where there are several, and what the run's provenance says of them."""

    models: Mapping[str, PredictsLatency]
    provenance: Provenance
    profiles: tuple[HardwareProfile, ...]
    deployments: Deployments | None = None


def repriced(run: Run, profile: Profiles, *, precision: str | None = None) -> Run:
    """Return `run` with the latencies of `profile`; the same run where it was searched with it, or has no latency.

    `precision` is what its networks are to be run in, the run's own unless given: what was measured of them holds in
    the run's precision all the same. Raises RunMismatch for a profile of another precision, of a latency that the run
    does not have, or where memory or energy was measured under the run's own; InvalidConfig for profiles that do not
    belong together; ProfileMismatch for one of another space; LatencyMissing.
    """
    names = [quantity.name for quantity in run.header.quantities if family_of(quantity.name) == LATENCY]
    given = [member for _, member in by_name(profile)]
    if not given or not names:
        return run
    deployments = run.header.provenance.deployments
    searched = {source.sha256 for source in deployments or run.header.provenance.sources.values()}
    if {member.digest for member in given} <= searched and (deployments or not isinstance(profile, Mapping)):
        return run
    prices = (
        prices_of_deployments(run, given, precision) if deployments else prices_by_name(run, profile, names, precision)
    )
    return run if not prices.models else with_prices(run, prices)


def prices_by_name(run: Run, profile: Profiles, names: Sequence[str], precision: str | None) -> NewPrices:
    """Return the prices that profiles, by the name of their latency, change."""
    if isinstance(profile, Sequence):
        if len(profile) > 1:
            raise InvalidConfig(
                f"{run.folder} was searched for one deployment, and {len(profile)} profiles without names "
                "are deployments on one device; give the one to price its front with",
                field="profile",
            )
        profile = profile[0]
    by_objective = {f"{LATENCY}@{name}" if name else LATENCY: new for name, new in named(profile).items()}
    before = run.header.provenance.sources
    changed = {
        name: new for name, new in by_objective.items() if name not in before or before[name].sha256 != new.digest
    }
    for name, new in changed.items():
        if name not in names:
            of = [f"{latency} from {before[latency].name}" if latency in before else latency for latency in names]
            raise RunMismatch(
                f"{run.folder} was searched with {' and '.join(of)}, and {new.name} is given for {name}; name the "
                "latency that it stands for, as pi5=FILE for latency@pi5, or give the run's own",
                fields=("profile.sha256",),
            )
    for new in changed.values():
        require_same_networks(run, new, precision)
    sources = {name.partition("@")[2]: Source.of(new) for name, new in changed.items()}
    kept = run.header.provenance
    if "" in sources:
        kept = kept.having(profile=sources.pop(""))
    if sources:
        kept = kept.having(profiles={**kept.profiles, **sources})
    return NewPrices({name: new.latency for name, new in changed.items()}, kept, tuple(changed.values()))


def prices_of_deployments(run: Run, given: Sequence[HardwareProfile], precision: str | None) -> NewPrices:
    """Return the prices of a run's networks in new deployments, each in the fastest of its precision."""
    require_together(given)
    space = run.space()
    wanted = precisions_in(space) or (precision or run.precision,)
    usable = [profile for profile in given if profile.header.config.precision in wanted]
    missing = [name for name in wanted if name not in {profile.header.config.precision for profile in usable}]
    if missing:
        raise RunMismatch(
            f"networks of {run.folder} run in {', '.join(missing)}, of which none of the profiles given is "
            f"({', '.join(profile.name for profile in given)}); give one of each precision, or the run's own",
            fields=(PRECISION,),
        )
    for profile in usable:
        require_same_networks(run, profile, profile.header.config.precision)
    deployments = Deployments(space, tuple((Deployment.of(profile), profile.latency) for profile in usable))
    provenance = run.header.provenance.having(deployments=deployments.each)
    return NewPrices({LATENCY: deployments}, provenance, tuple(usable), deployments)


def require_same_networks(run: Run, profile: HardwareProfile, precision: str | None) -> None:
    """Raise unless a profile can say what the run's networks take, beside what else was measured of them."""
    profile.require_for(run.space().network.name)
    ours, wanted = profile.header.config.precision, precision or run.precision
    if ours != wanted:
        raise RunMismatch(
            f"the networks of {run.folder} are run in {wanted}, and the profile {profile.name} is of {ours}; give one "
            f"of {wanted}",
            fields=(PRECISION,),
        )
    bound = [o.name for o in run.objectives if family_of(o.name) in FAMILIES]
    if bound:
        raise RunMismatch(
            f"{run.folder} measured {', '.join(bound)} under its own profile, which {profile.name} is not, so its "
            "front cannot be priced anew; give the run's own profile, or search with this one",
            fields=("profile.sha256",),
        )


def with_prices(run: Run, prices: NewPrices) -> Run:
    """Return a run with other latencies in its evaluations, evidence, reference point and description."""
    space = run.space()
    computed: dict[str, Callable[..., Values]] = {name: model.value_us for name, model in prices.models.items()}
    given = {*run.config.reference, *(name for name in prices.models if bounded(run, name))}
    objectives = tuple(
        replace(objective, reference=float(prices.models[objective.name].value_us(extremes(space)).max()))
        if objective.name in prices.models and objective.name not in given
        else objective
        for objective in run.header.objectives
    )
    header = run.header.model_copy(update={"objectives": objectives, "provenance": prices.provenance})
    start = run.start and replace(run.start, records=tuple(reprice(run.start.records, computed, prices.deployments)))
    evaluations = tuple(reprice(run.evaluations, computed, prices.deployments))
    return replace(
        run, header=header, evaluations=evaluations, start=start, pricing=Pricing(original(run), said(run, prices))
    )


def bounded(run: Run, name: str) -> bool:
    """Tell whether the run's region says where an objective's hypervolume ends."""
    names = [objective.name for objective in run.objectives]
    return name in names and bool(np.isfinite(run.problem.region.worst[names.index(name)]))


def reprice(
    records: Sequence[Priced], computed: Mapping[str, Callable[..., Values]], deployments: Deployments | None
) -> list[Priced]:
    """Return records with those of their values computed anew that they have, and their deployment chosen anew."""
    if not records:
        return []
    rows = np.array([record.indices for record in records], dtype=np.int64)
    columns = {name: values(rows) for name, values in computed.items()}
    chosen = None if deployments is None else deployments.chosen(rows)
    priced = []
    for i, record in enumerate(records):
        values = {name: float(columns[name][i]) if name in columns else value for name, value in record.values.items()}
        number = None if chosen is None or not values else int(chosen[i])
        priced.append(record.model_copy(update={"values": values, "deployment": number}))
    return priced


def original(run: Run) -> RunHeader:
    """Return the description that the run's folder has."""
    return run.header if run.pricing is None else run.pricing.header


def said(run: Run, prices: NewPrices) -> str:
    """Say what was priced anew, with what, and what was not."""
    header = original(run)
    before = [source.name for source in header.provenance.deployments or header.provenance.sources.values()]
    now = ", ".join(f"{profile.name} ({profile.digest[:12]})" for profile in prices.profiles)
    others = {profile.header.config.precision for profile in prices.profiles} - set(
        precisions_in(run.space()) or (run.precision,)
    )
    kept = f"; what else was measured of them is of {run.precision}, not {', '.join(sorted(others))}" if others else ""
    return (
        f"{run.folder} was searched with {', '.join(before) or 'no profile that is known'}; its {len(run.measured)} "
        f"measured networks are priced anew by {now}{kept}"
    )
