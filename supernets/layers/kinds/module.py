"""A torch module of the user's own: what a super-network that is declared in torch consists of (adapter.py)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..operations import Operation, Shape
from ..spec import LayerSpec
from ..torch_modules import ModuleFacts, facts_of

if TYPE_CHECKING:
    from ..graph_builder import GraphBuilder


@dataclass(frozen=True, slots=True)
class ModuleOperation:
    """The one operation of a layer of kind `module`; modules of one class share weights, so `name` is the class's."""

    name: str
    spec: LayerSpec

    @property
    def facts(self) -> ModuleFacts:
        """What the module does to the layer's input."""
        return facts_of(self.spec)

    def output_shape(self, shape: Shape) -> Shape:
        """What the module gave when it was run."""
        return self.facts.output_shape

    def macs(self, shape: Shape) -> int:
        """What torch counted."""
        return self.facts.macs

    @property
    def params(self) -> int:
        """All parameters of the module."""
        return self.facts.params

    def weight_shapes(self) -> dict[str, Shape]:
        """The tensors of the module's state dict, running statistics included."""
        return dict(self.facts.state)

    def emit(self, graph: GraphBuilder, x: str) -> str:
        """The nodes that torch exports."""
        from ..module_graph import emit_module

        return emit_module(graph, x, self.spec)


def operations(spec: LayerSpec) -> tuple[Operation, ...]:
    """Read name, of and source; all other attributes are arguments of the module's class."""
    return (ModuleOperation(spec.text("name"), spec),)
