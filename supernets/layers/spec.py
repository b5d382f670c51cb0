"""The identity of a layer: kind, input shape and attributes, nothing else.

Two layers with equal specs run equally fast, so the spec's key is the key of the latency table. It is readable on
purpose: a profile keeps one layer a line, and a reader of its diff should see what moved.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import SupernetError
from .values import Input, shape_text

Scalar = int | str

KEY = re.compile(r"([a-z][a-z0-9_]*)\(([0-9a-z:+]+)((?:,[a-z][a-z0-9_]*=[a-z0-9_]+)*)\)")


@dataclass(frozen=True, slots=True)
class LayerSpec:
    """One layer of a super-network at one setting of its genes.

    `input_shape` leaves the batch out: (channels, height, width) for images, (tokens, width) for sequences.
    `attributes` are sorted by name, so equal layers compare equal. `inputs` says all that the layer takes, where that
    is more than one tensor of floats; `input_shape` is the first one's then.

    >>> LayerSpec.of("mbconv", (16, 14, 14), kernel=3, stride=1).key
    'mbconv(16x14x14,kernel=3,stride=1)'
    """

    kind: str
    input_shape: tuple[int, ...]
    attributes: tuple[tuple[str, Scalar], ...]
    inputs: tuple[Input, ...] = ()

    @staticmethod
    def of(kind: str, input_shape: tuple[int, ...], **attributes: Scalar) -> LayerSpec:
        """Build a spec from keyword attributes."""
        return LayerSpec(kind, input_shape, tuple(sorted(attributes.items())))

    @staticmethod
    def from_key(key: str) -> LayerSpec:
        """Parse `key`; raises SupernetError when it is not the key of any layer."""
        match = KEY.fullmatch(key)
        if match is None:
            raise SupernetError(f"{key!r} is not a layer key; expected kind(CxHxW,name=value,...)")
        kind, taken, rest = match.groups()
        pairs = (item.split("=") for item in rest.split(",") if item)
        attributes = {name: int(value) if value.isdigit() else value for name, value in pairs}
        inputs = tuple(Input.from_text(text) for text in taken.split("+"))
        return LayerSpec(kind, inputs[0].shape, tuple(sorted(attributes.items())), unless_plain(inputs))

    @property
    def key(self) -> str:
        """The layer's name in profiles."""
        taken = "+".join(one.text for one in self.inputs) or shape_text(self.input_shape)
        return f"{self.kind}({','.join([taken, *(f'{name}={value}' for name, value in self.attributes)])})"

    @property
    def all_inputs(self) -> tuple[Input, ...]:
        """What the layer takes, the main input first; floats, unless `inputs` or the layer's kind say otherwise."""
        return self.inputs or (Input(self.input_shape),)

    def integer(self, name: str) -> int:
        """Return the attribute `name`, which is a number; raises SupernetError when it is absent or text."""
        value = self.value(name)
        if not isinstance(value, int):
            raise SupernetError(f"layer {self.key}: attribute {name!r} is {value!r}, expected a whole number")
        return value

    def text(self, name: str, default: str | None = None) -> str:
        """Return the attribute `name`, which is a word, or the default where the layer has no such attribute.

        Raises SupernetError when it is absent without a default, or a number.
        """
        value = self.value(name) if default is None else dict(self.attributes).get(name, default)
        if not isinstance(value, str):
            raise SupernetError(f"layer {self.key}: attribute {name!r} is {value!r}, expected a word")
        return value

    def value(self, name: str) -> Scalar:
        """Return the attribute `name`; raises SupernetError when the layer has none."""
        found: Mapping[str, Scalar] = dict(self.attributes)
        if name not in found:
            raise SupernetError(f"layer {self.key} has no attribute {name!r}; it has {', '.join(found)}")
        return found[name]


def unless_plain(inputs: tuple[Input, ...]) -> tuple[Input, ...]:
    """Return a layer's inputs as `LayerSpec.inputs` holds them: none where there is one tensor of floats."""
    return () if len(inputs) == 1 and not inputs[0].is_whole else inputs
