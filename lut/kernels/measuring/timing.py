"""Time kernels that a profile lacks, now, on its device, so that they can stand beside those it has.

Some of the profile's kernels that the model has too are timed again with them: by how much those take longer now is
due to the hour, not to the kernels, and is taken out.
"""

from __future__ import annotations

from statistics import median

from ....profilers.results.parsing import read_results
from ....profilers.timing.plan import write_plan
from ....profilers.timing.protocol import TimingPolicy
from ....profilers.transports.local import LocalDevice
from ....profilers.transports.transport import Transport
from ....temporary import temporary_folder
from ...measuring.building import OnProgress
from ..graph.alone import copies_of
from ..graph.cutting import KernelGraph
from ..graph.kernel import Kernel
from ..profile_file.lines import CALL, digest_of
from ..profile_file.profile import KernelProfile, MeasuredKernel, own_us
from .planned import planned

AGAIN = 5  # kernels of the profile that are timed again
POLICY = TimingPolicy(min_passes=4, clean_blocks=16, processes=1, time_cap_s=15.0)


def unknown_kernels(profile: KernelProfile, graph: KernelGraph, *, all_kernels: bool = False) -> dict[str, Kernel]:
    """Return the kernels of a model, by digest, that were not measured for the profile."""
    found, measured = {digest_of(key): kernel for key, kernel in graph.kernels.items()}, profile.measured
    return {digest: kernel for digest, kernel in found.items() if all_kernels or digest not in measured}


def time_kernels(
    profile: KernelProfile,
    graph: KernelGraph,
    *,
    device: Transport | None = None,
    policy: TimingPolicy = POLICY,
    all_kernels: bool = False,
    on_progress: OnProgress | None = None,
) -> tuple[dict[str, MeasuredKernel], dict[str, str]]:
    """Time what the profile lacks of a model; return those measured by digest, and why others failed, by operator.

    With `all_kernels` those that the profile has are timed anew too. Raises the errors of profilers, and nothing for a
    kernel that failed.
    """
    wanted = unknown_kernels(profile, graph, all_kernels=all_kernels)
    if not wanted:
        return {}, {}
    every = {digest_of(key): kernel for key, kernel in graph.kernels.items()}
    measured_before = profile.measured
    known = [digest for digest in every if digest in measured_before]
    again = sorted(known, key=lambda digest: -profile.kernels[digest].value_us)[:AGAIN]
    timed = {**{digest: every[digest] for digest in again}, **wanted}
    with temporary_folder() as folder:
        plan, journal = folder / "plan", folder / "results.jsonl"
        write_plan(
            plan, backend=profile.header.backend, config=profile.run_config, policy=policy, models=planned(timed, {})
        )
        (device or LocalDevice()).run(plan, journal, on_progress=on_progress)
        results = read_results(journal)
    measured = results.measurements
    call_us = measured[CALL].value_us if CALL in measured else profile.call_us
    values = {
        digest: own_us(measured[digest], call_us, copies_of(kernel))
        for digest, kernel in timed.items()
        if digest in measured
    }
    ratios = [values[digest] / profile.kernels[digest].value_us for digest in again if digest in values]
    slower = median(ratios) if len(ratios) >= AGAIN else 1.0
    found = {
        digest: MeasuredKernel(
            kernel.key, kernel.operator, kernel.cost, values[digest] / slower, measured[digest].relative_iqr
        )
        for digest, kernel in wanted.items()
        if digest in values
    }
    return found, {every[failure.key].operator: failure.reason for failure in results.failures if failure.key in every}
