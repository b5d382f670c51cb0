"""What a search, a final front and an export take, opened and judged before anything is measured or written.

The calls of `searching.py` begin with it, and dry runs of the command line end with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..lut import HardwareProfile
    from ..profilers.transports.transport import Transport
    from ..search import Run, SearchConfig, SearchContext
    from ..search.deployments.profiles import Profiles
    from ..search.deployments.provenance import Provenance
    from ..search.export.choice import ChosenNetwork
    from ..search.problem.supernet import SearchableSupernet
    from ..supernets.evaluation.supernet import Supernet


@dataclass(frozen=True)
class PreparedSearch:
    """A search whose super-network is open, where it takes one, and whose objectives can be measured."""

    context: SearchContext
    config: SearchConfig
    provenance: Provenance
    supernet: Supernet | None
    precisions: tuple[str, ...]


def prepared_search(
    config: SearchConfig,
    profiles: Profiles,
    *,
    checkpoint: str | Path | None,
    data: str | Path | None,
    isolate: bool = False,
    timeout_s: float | None = None,
    on_step: Callable[[str], None] = lambda step: None,
) -> PreparedSearch:
    """Open what a search takes, as `run_search` describes it; writes nothing."""
    from ..search import SearchContext
    from ..search.deployments.profiles import searched
    from ..search.deployments.resources import resources_from
    from ..search.problem.task_metric import needs_supernet
    from ..supernets import load_space
    from ..supernets.evaluation.agreement import check_kernels
    from ..supernets.evaluation.deciding import NamesExamples
    from ..supernets.isolated.supernet import IsolatedSupernet, Loading
    from ..supernets.precision import is_calibrated, require_here
    from ..supernets.supernet import load_supernet

    known = searched(profiles, load_space(config.space), config.objectives)
    supernet = None
    if needs_supernet(config.objectives, known.space):
        for precision in known.precisions:
            require_here(precision)
        supernet = load_supernet(config.space, checkpoint=checkpoint, data=data, weight_bits=known.weight_bits)
        if any(is_calibrated(precision) for precision in known.precisions):
            on_step(check_kernels(supernet, config.split).sentence())
    judged: SearchableSupernet | None = supernet
    if supernet is not None and (isolate or timeout_s is not None):
        weights, examples = (None if path is None else str(path) for path in (checkpoint, data))
        loading = Loading(config.space, weights, examples, known.weight_bits)
        judged = IsolatedSupernet(supernet, loading, timeout_s=timeout_s)
    context = SearchContext(
        known.space,
        supernet=judged,
        latency=known.latencies,
        precision=known.precision,
        resources=resources_from(profiles, known.latencies, supernet),
    )
    provenance = known.provenance.having(
        checkpoint_sha256=supernet and supernet.checkpoint_sha256,
        data=str(data) if data else None,
        examples_sha256=supernet.examples_sha256(config.split) if isinstance(supernet, NamesExamples) else None,
    )
    config = config.model_copy(update={"space": known.space.name})
    return PreparedSearch(context, config, provenance, supernet, known.precisions)


def supernet_of(run: Run, *, checkpoint: str | Path | None, data: str | Path | None) -> Supernet | None:
    """Open the super-network that the objectives of a run are measured on; None where none needs it."""
    from ..search.problem.task_metric import needs_supernet
    from ..supernets import load_space
    from ..supernets.supernet import load_supernet

    if not needs_supernet([objective.name for objective in run.objectives], load_space(run.config.space)):
        return None
    return load_supernet(run.config.space, checkpoint=checkpoint, data=data, weight_bits=run.weight_bits)


def require_finishable(
    run: Run,
    *,
    profile: HardwareProfile | None,
    checkpoint: str | Path | None,
    data: str | Path | None,
    controls: int,
    period_ms: float | None,
    device: Transport,
    force: bool,
) -> None:
    """Raise what `final_front` raises before it measures anything; writes nothing."""
    from ..search.final.final import asked_of
    from ..search.final.place import require_place
    from ..search.problem.supernet import searchable

    supernet = searchable(supernet_of(run, checkpoint=checkpoint, data=data))
    named = str(data) if data else None
    priced, header = asked_of(
        run, supernet=supernet, profile=profile, data=named, controls=controls, period_ms=period_ms, device=device
    )
    require_place(run.folder, header, priced.space(), force=force)


@dataclass(frozen=True)
class AskedExport:
    """What is exported: a network that was chosen from a run as it was `priced`, with the `profile` that predicts."""

    chosen: ChosenNetwork
    precision: str
    priced: Run
    profile: HardwareProfile | None
    supernet: Supernet


def asked_export(
    run: Run,
    pick: str,
    profiles: Profiles,
    *,
    precision: str | None,
    checkpoint: str | Path | None,
    data: str | Path | None,
    on_step: Callable[[str], None] = lambda step: None,
) -> AskedExport:
    """Choose a network and open its super-network, as `export` describes it; writes nothing."""
    from ..search.deployments.profiles import one_profile
    from ..search.export.choice import chosen_from
    from ..search.runs.repricing import repriced
    from ..supernets.supernet import load_supernet

    priced = repriced(run, profiles, precision=precision)
    if priced.pricing is not None:
        on_step(str(priced.pricing))
    chosen = chosen_from(priced, pick, shown=run)
    known = one_profile(profiles, chosen.deployment)
    bits = [bits for bits in (run.weight_bits, None if known is None else known.weight_bits) if bits is not None]
    supernet = load_supernet(run.config.space, checkpoint=checkpoint, data=data, weight_bits=min(bits, default=None))
    return AskedExport(chosen, precision or chosen.precision, priced, known, supernet)
