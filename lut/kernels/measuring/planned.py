"""What a plan of kernels times: models to time by role, and what the records of its results will say of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Annotated

from pydantic import Field, model_validator

from ....profilers.timing.plan import PlannedModel
from ...errors import LutError
from ...profile_file.schema import Count, Positive
from ...record import Record
from ..graph.alone import copies_of, kernel_model
from ..graph.cutting import KernelGraph
from ..graph.kernel import Kernel
from ..profile_file.lines import CALL, MODEL, digest_of
from ..profile_file.records import Quantity

ANCHOR = "anchor:"
PIECES = "pieces:"  # begins the name of a graph that kernels are taken from, and that is not timed whole


class PlannedKernel(Record):
    """What is known of a kernel before it is timed."""

    key: Annotated[str, Field(min_length=1)]
    operator: str
    copies: Positive
    cost: dict[str, Quantity]


class PlannedNetwork(Record):
    """Which kernels a whole model runs, by digest, and what the runtime adds."""

    calls: dict[str, Positive]
    added: dict[str, Count]


class KernelPlan(Record):
    """The kernels of a plan by digest of their keys, and the whole models by name; checked to belong together."""

    kernels: dict[str, PlannedKernel]
    models: dict[str, PlannedNetwork]

    @model_validator(mode="after")
    def _belong_together(self) -> KernelPlan:
        for digest, kernel in self.kernels.items():
            if digest_of(kernel.key) != digest:
                raise ValueError(f"the kernel {digest!r} has another key")
        for name, model in self.models.items():
            if not self.kernels.keys() >= model.calls.keys():
                raise ValueError(f"the model {name!r} runs kernels that are not there")
        return self

    def role_of(self, key: str) -> str:
        """Return the role of a key in plans, empty for a key that is none of this plan."""
        if key.startswith(ANCHOR):
            return "anchor" if key.removeprefix(ANCHOR) in self.kernels else ""
        if key.startswith(MODEL):
            return "network"  # models without a sum are timed too
        return "layer" if key == CALL or key in self.kernels else ""


def plan_of_kernels(kernels: Mapping[str, Kernel], graphs: Mapping[str, KernelGraph]) -> KernelPlan:
    """Return what records will say of some kernels, and of the models whose kernels can all be timed."""
    return KernelPlan(
        kernels={
            digest: PlannedKernel(
                key=kernel.key, operator=kernel.operator, copies=copies_of(kernel), cost=asdict(kernel.cost)
            )
            for digest, kernel in kernels.items()
        },
        models={
            name: PlannedNetwork(
                calls={digest_of(key): count for key, count in graph.counts.items()}, added=dict(graph.added)
            )
            for name, graph in graphs.items()
            if not graph.excluded
        },
    )


def planned(kernels: Mapping[str, Kernel], models: Mapping[str, bytes]) -> Iterator[PlannedModel]:
    """Yield what a plan times: an anchor, the call alone, every kernel, and the models whole, but no pieces."""
    anchor = anchor_of(kernels)
    yield PlannedModel(ANCHOR + anchor, "anchor", kernel_model(kernels[anchor], copies_of(kernels[anchor])))
    yield PlannedModel(CALL, "layer", call_model())
    for digest, kernel in kernels.items():
        yield PlannedModel(digest, "layer", kernel_model(kernel, copies_of(kernel)))
    for name, model in models.items():
        if not name.startswith(PIECES):
            yield PlannedModel(MODEL + name, "network", model)


def anchor_of(kernels: Mapping[str, Kernel]) -> str:
    """Return the digest of a kernel that works more than three quarters of the others; raises LutError for none."""
    order = sorted(kernels, key=lambda digest: (kernels[digest].cost.macs, digest))
    if not order:
        raise LutError("the runtime makes no kernel of these models that can be timed")
    return order[3 * len(order) // 4]


def call_model() -> bytes:
    """Return a model that does next to nothing."""
    from onnx import TensorProto, helper

    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "call", value[:1], value[1:])
    content: bytes = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    ).SerializeToString()
    return content
