"""Find layer kinds: every module of `kinds/`; it defines `operations(spec)`.

Another package's kind is an entry point of group gnomon.layers: a module with that function, named as the kind.
"""

from __future__ import annotations

from functools import lru_cache
from types import ModuleType

from ..errors import SupernetError
from ..plugins import Registry, unknown_as
from .operations import Operation, Shape, with_shapes
from .spec import LayerSpec

KINDS: Registry[ModuleType] = Registry(
    "layer kind",
    "supernets/layers/kinds",
    unknown_as(SupernetError),
    "gnomon.layers",
    functions=("operations",),
)


def layer_kinds() -> tuple[str, ...]:
    """Name the layer kinds, sorted."""
    return KINDS.names()


@lru_cache(maxsize=256)
def kind_module(kind: str) -> ModuleType | None:
    """Import the module of a kind, ours before another package's; None where there is none; raises PluginBroken."""
    return KINDS.load(kind) if kind in KINDS.names() else None


@lru_cache(maxsize=16384)
def operations(spec: LayerSpec) -> tuple[Operation, ...]:
    """Return the operations that `spec` consists of; raises SupernetError for an unknown kind, PluginBroken."""
    module = kind_module(spec.kind)
    if module is None:
        kind_module.cache_clear()  # a package may be installed later
        raise SupernetError(f"unknown layer kind {spec.kind!r} in {spec.key}; known: {', '.join(layer_kinds())}")
    with KINDS.blaming(spec.kind):
        result: tuple[Operation, ...] = module.operations(spec)
    return result


def output_shape(spec: LayerSpec) -> Shape:
    """Return the shape of the layer's output, batch left out."""
    shape = spec.input_shape
    for operation in operations(spec):
        shape = operation.output_shape(shape)
    return shape


def input_dtype(spec: LayerSpec) -> str:
    """Return the type of the layer's main input: float32, unless the layer or its first operation says otherwise."""
    if spec.inputs:
        return spec.inputs[0].dtype
    return str(getattr(operations(spec)[0], "input_dtype", "float32"))


def macs(spec: LayerSpec) -> int:
    """Count the layer's multiply-accumulates for one input."""
    return sum(operation.macs(shape) for operation, shape in with_shapes(operations(spec), spec.input_shape))


def params(spec: LayerSpec) -> int:
    """Count the layer's parameters."""
    return sum(operation.params for operation in operations(spec))


def weight_shapes(spec: LayerSpec) -> dict[str, Shape]:
    """Name the arrays of the layer's folded graph, with their shapes."""
    return {name: shape for operation in operations(spec) for name, shape in operation.weight_shapes().items()}
