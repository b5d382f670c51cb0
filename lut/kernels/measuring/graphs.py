"""Kernels of models as a device runs them: its runtime is asked there, and what it tells is cut into kernels here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ....profilers.run_config import RunConfig
from ....profilers.runtimes.graphs.fused_graph import FusedGraph
from ....profilers.transports.transport import Transport
from ...errors import LutError
from ..graph.cutting import KernelGraph, kernels_of
from ..graph.kernel import Kernel
from ..profile_file.lines import digest_of

LARGEST_BYTES = 1 << 31  # of a kernel's weights: what a file with them can hold


def graphs_of(
    models: Mapping[str, bytes], backend: str, config: RunConfig, device: Transport
) -> dict[str, KernelGraph]:
    """Ask the device for the graphs of models, whose nodes are named (`named.py`), and cut each into kernels.

    Raises the errors of profilers, among them GraphUnavailable, and LutError for graphs that cannot be cut.
    """
    return cut_graphs(models, device.fused_graphs(list(models.values()), backend=backend, config=config))


def cut_graphs(names: Mapping[str, object], told: Sequence[FusedGraph]) -> dict[str, KernelGraph]:
    """Cut graphs, which may come from a device that nobody trusts, into kernels; raises LutError."""
    found = {}
    for name, graph in zip(names, told):
        try:
            found[name] = kernels_of(graph, graph.runtime)
        except (IndexError, KeyError, ValueError, TypeError, AttributeError) as error:
            raise LutError(f"the graph that the device told of {name} cannot be cut into kernels: {error}") from error
        for kernel in found[name].kernels.values():
            if kernel.cost.weight_bytes > LARGEST_BYTES:
                raise LutError(f"the graph that the device told of {name} has a kernel with more than 2 GiB of weights")
    return found


def kernels_in(graphs: Mapping[str, KernelGraph]) -> dict[str, Kernel]:
    """Return the kernels of several models by digest of their keys, each once."""
    return {digest_of(key): kernel for graph in graphs.values() for key, kernel in graph.kernels.items()}
