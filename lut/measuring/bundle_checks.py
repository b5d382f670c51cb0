"""Check that a bundle and the results from a device belong together, and that the space has all that they name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ...profilers.errors import BundleDamaged, PlanMismatch
from ...profilers.results.parsing import read_results
from ...profilers.results.results import Results
from ...profilers.results.visits import Failure, Visit
from ...profilers.timing.plan import PlanItem, TimingPlan
from ...profilers.transports.bundle import read_bundle
from ...profilers.transports.manifest import WORKER, Bundle
from ...supernets import InvalidArchitecture, SearchSpace, load_space
from ..errors import LutError, ProfileMismatch, ResultsIncomplete
from ..latency_model.model import MIN_NETWORKS
from ..profile_file.schema import ANCHOR
from .build import network_key

NETWORK = "network:"


def read_returned(bundle: Path, results: Path) -> tuple[Bundle, Results, TimingPlan]:
    """Read a bundle and what a board measured of it, and return them with the plan of both.

    Raises BundleDamaged, JournalDamaged, PlanMismatch, and LutError where the results cannot be read.
    """
    carried = read_bundle(bundle)
    try:
        found = read_results(results)
    except OSError as error:
        raise LutError(f"cannot read {results}: {error}") from error
    return carried, found, plan_of(carried, found, f"{results} and {bundle}")


def plan_of(bundle: Bundle, results: Results, where: str) -> TimingPlan:
    """Return the plan that the results are of; raises PlanMismatch unless it is the bundle's."""
    config = results.config
    try:
        plan = bundle.plan(results.backend, device=config.device, threads=config.threads)
    except ValueError as error:
        raise PlanMismatch(f"{where} do not belong together: {error}") from error
    if plan.digest != results.plan:
        raise PlanMismatch(
            f"{where} do not belong together: the results are of the plan {results.plan[:12]!r}, and for "
            f"{results.backend} with {config.threads} threads the bundle makes {plan.digest[:12]!r}. "
            f"Import them with the bundle that they were measured with"
        )
    return plan


def space_of(origin: Mapping[str, Any], bundle: Path) -> SearchSpace:
    """Return the space that a bundle was made of; raises ProfileMismatch if it is another one here."""
    if not isinstance(origin.get("space"), str) or "layers" not in origin:
        raise BundleDamaged(f"{bundle} does not say what it was made of; expected the space and its digest")
    space = load_space(origin["space"])
    digest = str(origin.get("space_digest"))
    if space.digest != digest:
        raise ProfileMismatch(
            f"{bundle} was made of another version of the space {space.name} (digest {digest[:12]!r}, here "
            f"{space.digest[:12]!r}); import it with the Gnomon that made it",
            fields=("space_digest",),
        )
    return space


def check_items(space: SearchSpace, items: tuple[PlanItem, ...], bundle: Path) -> None:
    """Raise BundleDamaged unless all items are layers, networks and anchors of the space, and enough networks."""
    layers = {spec.key for spec in space.unique_layers()}
    is_known: dict[str, Callable[[str], bool]] = {
        "layer": lambda key: key in layers,
        "anchor": lambda key: key.startswith(ANCHOR) and key.removeprefix(ANCHOR) in layers,
        "network": lambda key: is_network(space, key),
    }
    strange = [item.key for item in items if not is_known[item.role](item.key)]
    if strange:
        raise BundleDamaged(f"{bundle} measures {strange[0][:120]!r}, which the space {space.name} does not have")
    if sum(item.role == "network" for item in items) < MIN_NETWORKS:
        raise BundleDamaged(f"{bundle} measures fewer than {MIN_NETWORKS} networks, which verify nothing")


def is_network(space: SearchSpace, key: str) -> bool:
    """Tell whether a plan's key names a network of the space."""
    try:
        indices = tuple(int(index) for index in key.removeprefix(NETWORK).split(","))
        return network_key(space.architecture(indices).indices) == key
    except (ValueError, InvalidArchitecture):
        return False


def check_results(plan: TimingPlan, results: Results, path: Path) -> None:
    """Raise PlanMismatch for records of models that are not the plan's, ResultsIncomplete for an unfinished run."""
    roles = {item.key: item.role for item in plan.items}
    sessions = {session.id for session in results.sessions}
    records: tuple[Visit | Failure, ...] = (*results.visits, *results.failures)
    for record in records:
        if roles.get(record.key) != record.role or record.session not in sessions:
            raise PlanMismatch(f"{path} holds {record.key[:120]!r}, which its plan or its sessions do not have")
    timed = {record.key for record in records}
    if not results.is_complete or not sessions:
        raise ResultsIncomplete(
            f"{path} is of a run that was not finished: {len(timed)} of {len(roles)} models have been visited. "
            f"Finish it on the device: python3 {WORKER} --backend {results.backend} --threads {plan.config.threads}"
        )
