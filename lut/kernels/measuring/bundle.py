"""Kernel profiles of boards that Gnomon does not reach: two bundles, since the runtime there decides what to time.

The first asks the board's runtime for the graphs that it makes of the sampled networks. Cut into kernels here, they are
the second, which times them. What comes back is untrusted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ....outputs import appearing, require_place
from ....profilers.errors import BundleDamaged, PlanMismatch
from ....profilers.machine.hardware import Hardware
from ....profilers.results.results import Results
from ....profilers.timing.plan import PlannedModel, TimingPlan, write_plan
from ....profilers.transports.bundle import unpack_bundle, write_bundle
from ....profilers.transports.graph_file import AskedGraphs, read_graphs
from ....profilers.transports.manifest import GRAPHS, Bundle
from ....temporary import temporary_folder
from ....version import VERSION
from ...errors import LutError, ProfileMismatch
from ...measuring.bundle import BUNDLE
from ...measuring.bundle_checks import check_results, read_returned
from ...measuring.measure import SAME_DEVICE
from ..profile_file.lines import MODEL
from ..profile_file.profile import KernelProfile, load_kernel_profile, seal_kernels
from .build import KernelRequest, header_of, records_of
from .graphs import cut_graphs, kernels_in
from .planned import KernelPlan, plan_of_kernels, planned

KERNELS = "kernels"  # in a bundle's origin: what made it was this file


def is_of_kernels(bundle: Bundle) -> bool:
    """Tell whether a bundle is one of the two here."""
    return KERNELS in bundle.origin


def create_kernel_bundle(request: KernelRequest, out: str | Path, *, force: bool = False) -> Bundle:
    """Write the bundle that asks a board for the graphs of a request's networks; raises OutputUnusable, LutError.

    Backend and threads are chosen on the board.
    """
    require_place(Path(out), BUNDLE, force=force)
    models = request.models
    if not models:
        raise LutError("a bundle of kernels takes networks to cut them from; ask for one or more")
    items = [PlannedModel(MODEL + name, "network", model) for name, model in models.items()]
    with appearing(Path(out), BUNDLE, force=force) as fresh:
        folder = fresh.with_name("building")
        plan = write_plan(folder, backend="", config=request.config, policy=request.policy, models=items)
        title = f"{len(models)} graphs, of which the runtime here is asked for its kernels"
        origin = {"gnomon": VERSION, KERNELS: None}
        return write_bundle(fresh, folder, plan=plan, origin=origin, title=title, asks=GRAPHS)


def import_graphs(
    bundle: str | Path, graphs: str | Path, out: str | Path | None = None, *, force: bool = False
) -> tuple[Bundle, Path]:
    """Write the bundle that times the kernels of the graphs which a board told; None: named after what it is for.

    Raises BundleDamaged, PlanMismatch for graphs of another bundle, LutError for graphs that cannot be cut, and
    OutputUnusable.
    """
    bundle, graphs = Path(bundle), Path(graphs)
    with temporary_folder() as place:
        carried = unpack_bundle(bundle, place / "bundle")
        models = {item.key.removeprefix(MODEL): (place / "bundle" / item.file).read_bytes() for item in carried.items}
    if carried.asks != GRAPHS:
        raise PlanMismatch(f"{bundle} asks for times, not for graphs; import the results that it names with it")
    told = read_graphs(graphs, list(models.values()))
    cut = cut_graphs(models, told.graphs)
    kernels = kernels_in(cut)
    name = f"{bundle.stem}-{told.backend.replace(':', '-')}-t{told.config.threads}{bundle.suffix}"
    path = Path(out or bundle.with_name(name))
    with appearing(path, BUNDLE, force=force) as fresh:
        folder = fresh.with_name("building")
        plan = write_plan(
            folder,
            backend=told.backend,
            config=told.config,
            policy=carried.policy,
            models=planned(kernels, models),
        )
        title = f"{len(kernels)} kernels of {told.backend} with {told.config.threads} threads"
        origin = {"gnomon": VERSION, KERNELS: content_of(told, plan_of_kernels(kernels, cut))}
        return write_bundle(fresh, folder, plan=plan, origin=origin, title=title, is_for_any=False), path


def content_of(told: AskedGraphs, plan: KernelPlan) -> dict[str, Any]:
    """Return what the second bundle says of its kernels, and of whose they are."""
    return {
        "plan": plan.model_dump(mode="json"),
        "hardware": told.hardware.to_json(),
        "runtime": told.graphs[0].runtime,
    }


def import_kernel_results(
    bundle: str | Path, results: str | Path, out: str | Path | None = None, *, force: bool = False
) -> tuple[KernelProfile, Path]:
    """Turn what a board measured of the second bundle into a kernel profile, and return it with its path.

    Raises BundleDamaged, PlanMismatch (results of another bundle), ResultsIncomplete, JournalDamaged, ProfileMismatch
    (another device or runtime than told the graphs), OutputUnusable, and LutError for values that no run gives.
    """
    bundle, results = Path(bundle), Path(results)
    carried, found, plan = read_returned(bundle, results)
    content = checked_content(bundle, carried, plan)
    check_results(plan, found, results)
    require_same(carried.origin[KERNELS], found)
    request = KernelRequest(found.backend, found.config, policy=carried.policy)
    path = Path(out or request.file_name(found.sessions[0].hardware.slug_of(found.config.device)))
    try:
        records = records_of(found, content)
        seal_kernels(path, header_of(request, found, plan.digest), records, force=force)
    except (ValueError, TypeError, AttributeError, OverflowError) as error:  # records are judged by whoever uses them
        raise LutError(f"{results} holds values that no run gives: {error}. Copy it from the device again") from error
    return load_kernel_profile(path), path


def checked_content(bundle: Path, carried: Bundle, plan: TimingPlan) -> KernelPlan:
    """Return what a bundle says of its kernels; raises BundleDamaged unless that is what it times."""
    try:
        content = KernelPlan.model_validate(carried.origin[KERNELS]["plan"])
    except (ValidationError, KeyError, TypeError) as error:
        raise BundleDamaged(f"{bundle} does not say which kernels it times: {str(error)[:300]}") from error
    strange = [item.key for item in plan.items if content.role_of(item.key) != item.role]
    if strange:
        raise BundleDamaged(f"{bundle} times {strange[0][:120]!r}, which none of its kernels or models is")
    return content


def require_same(said: Any, found: Results) -> None:
    """Raise ProfileMismatch unless kernels were timed where, and in the runtime that, the graphs are from."""
    try:
        then, runtime = Hardware.from_json(said["hardware"]), str(said["runtime"])
    except (KeyError, TypeError, ValueError) as error:
        raise BundleDamaged(f"the bundle does not say whose kernels it times: {error}") from error
    name = found.backend.partition(":")[0]
    for session in found.sessions:
        pairs = {field: (getattr(then, field), getattr(session.hardware, field)) for field in SAME_DEVICE}
        pairs["runtime"] = (runtime, f"{name} {session.versions.get(name, '')}")
        if differences := [f"{field}: {a!r}, then {b!r}" for field, (a, b) in pairs.items() if a != b]:
            raise ProfileMismatch(
                f"the graphs are of another device or runtime than the times ({'; '.join(differences)}), which has "
                f"other kernels. Run the first bundle on the device that is to be measured",
                fields=tuple(one.partition(":")[0] for one in differences),
            )
