"""An encoder layer of a translator: a transformer's, whose input later decoder layers may attend to as well."""

from __future__ import annotations

from ..decoding import Remember
from ..operations import Operation
from ..spec import LayerSpec
from . import encoder_layer


def operations(spec: LayerSpec) -> tuple[Operation, ...]:
    """Read what an encoder_layer reads."""
    return (Remember(), *encoder_layer.operations(spec))
