"""Search spaces: choices, the layers that they lead to, and architectures as plain values.

A space says what each position of a network (a slot) holds for every setting of the few genes that decide it.
All else follows from the slots: layers of an architecture, the set of layers to profile, MACs, params, sums over a
latency table for a million architectures at once, and which genes of an architecture have no effect (a gene is
inactive where no slot's layer varies along it; options that put the same layers into every slot are one). Arrays of
architectures are (n, d): n architectures, d genes, each the index of an option.

Most networks are one model that runs once for an input. A space whose network is several, as an encoder and a decoder
step that runs for every token, lists them as parts; a layer then counts as often as its part runs.

Mostly each slot takes what the one before gives. Where slots name what they take (`wiring.py`), the space names its
inputs, and its outputs where there are several.

The last choices of a space may be settings: they say how a network is computed (in which precision, say), not what it
is. They decide no layer, and yet no two options of one are equal.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InvalidArchitecture
from ..layers.registry import macs, params
from ..layers.spec import LayerSpec
from ..layers.values import Input
from ..plugins import closest_hint
from .slot import WHOLE, Choice, Option, Part, Slot
from .slots import SlotActivity, SlotSum

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Architecture:
    """A sub-network: the space's name and one option index a gene."""

    space: str
    indices: tuple[int, ...]

    @property
    def id(self) -> str:
        """Eight hexadecimal digits that name the architecture in tables and on the command line."""
        named = f"{self.space}{self.indices}".encode(errors="backslashreplace")  # what a file names may be no text
        return hashlib.sha256(named).hexdigest()[:8]


@dataclass(frozen=True, repr=False)
class SearchSpace:
    """All sub-networks of a super-network. Built by the modules of `spaces/`; `name` carries their options.

    Where slots name what they take, `inputs` are the network's by name, the first of which `input_shape` is of, and
    `outputs` the slots whose outputs are the network's; without, the last slot's output is.
    """

    name: str
    task: str
    input_shape: tuple[int, ...]
    choices: tuple[Choice, ...]
    slots: tuple[Slot, ...]
    parts: tuple[Part, ...] = WHOLE
    without_settings: SearchSpace | None = None
    inputs: tuple[tuple[str, Input], ...] = ()
    outputs: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"SearchSpace({', '.join(f'{label} {said}' for label, said in self._facts())})"

    def __str__(self) -> str:
        return "\n".join(f"{label:<8} {said}" for label, said in self._facts())

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th>{escape(label)}</th><td>{escape(said)}</td></tr>" for label, said in self._facts())
        return f"<table>{rows}</table>"

    def _facts(self) -> list[tuple[str, str]]:
        return [
            ("space", self.name),
            ("task", self.task),
            ("input", " x ".join(map(str, self.input_shape))),
            ("genes", f"{len(self.choices)} with {float(self.size):.2g} settings"),
            ("layers", str(len(self.unique_layers()))),
        ]

    @property
    def network(self) -> SearchSpace:
        """The space of the networks alone, without settings: itself where it has none."""
        return self.without_settings or self

    @property
    def settings(self) -> tuple[Choice, ...]:
        """The choices that say how a network is computed; the last ones."""
        return self.choices[len(self.network.choices) :]

    def setting_options(self, name: str) -> tuple[Option, ...]:
        """Return the options of a setting; none where the space has no such setting."""
        return next((choice.options for choice in self.settings if choice.name == name), ())

    def setting(self, name: str, indices: ArrayLike) -> tuple[Option, ...]:
        """Return what (n, d) architectures set for `name`, n options; raises InvalidArchitecture for no setting."""
        names = [choice.name for choice in self.settings]
        if name not in names:
            raise InvalidArchitecture(f"{self.name} has no setting {name!r}; it has {', '.join(names) or 'none'}")
        column = len(self.network.choices) + names.index(name)
        return tuple(self.choices[column].options[index] for index in self.check(indices)[:, column])

    def networks(self, indices: ArrayLike) -> Indices:
        """Return (n, d) architectures without their settings, as architectures of `network`."""
        return self.check(indices)[:, : len(self.network.choices)]

    def network_of(self, architecture: Architecture) -> Architecture:
        """Return the network that an architecture is without its settings."""
        return self.network.architecture(self.networks([architecture.indices])[0])

    @cached_property
    def radices(self) -> Indices:
        """Number of options of each gene, (d,)."""
        return np.array([len(choice.options) for choice in self.choices], dtype=np.int64)

    @property
    def size(self) -> int:
        """Number of settings of the genes; distinct sub-networks are fewer where genes can be inactive."""
        return math.prod(int(radix) for radix in self.radices)

    @cached_property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that change when any choice or layer of the space does."""
        slots = [[slot.name, slot.genes, [spec and spec.key for spec in slot.specs]] for slot in self.slots]
        content = [self.task, self.input_shape, [(choice.name, choice.options) for choice in self.choices], slots]
        if self.parts != WHOLE:
            content += [[(part.name, part.runs) for part in self.parts], [slot.part for slot in self.slots]]
        if self.inputs:
            inputs = [(name, one.text) for name, one in self.inputs]
            content += [inputs, [slot.takes for slot in self.slots], self.outputs]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]

    def architecture(self, indices: Sequence[int] | Indices) -> Architecture:
        """Return the canonical architecture at `indices` (d); raises InvalidArchitecture outside the space."""
        row = self.canonical(np.asarray(indices)[None])[0]
        return Architecture(self.name, tuple(int(index) for index in row))

    def architecture_of(self, values: Mapping[str, Option]) -> Architecture:
        """Return the architecture with these option values, one a choice; raises InvalidArchitecture."""
        names = [choice.name for choice in self.choices]
        for name in values:
            if name not in names:
                hint = closest_hint(name, names) or f"; it has {', '.join(names[:8])}, ..."
                raise InvalidArchitecture(f"{self.name} has no choice {name!r}{hint}")
        indices = []
        for choice in self.choices:
            if choice.name not in values:
                raise InvalidArchitecture(f"choice {choice.name!r} is missing; {self.name} needs all {len(names)}")
            if values[choice.name] not in choice.options:
                raise InvalidArchitecture(
                    f"{choice.name}={values[choice.name]!r} is outside {self.name}; its options are {choice.options}"
                )
            indices.append(choice.options.index(values[choice.name]))
        return self.architecture(indices)

    def values(self, architecture: Architecture) -> dict[str, Option]:
        """Return the option value of every choice."""
        return {choice.name: choice.options[i] for choice, i in zip(self.choices, architecture.indices)}

    def check(self, indices: ArrayLike) -> Indices:
        """Return `indices` as an (n, d) integer array; raises InvalidArchitecture, naming the gene, when it is not."""
        rows = np.asarray(indices)
        if rows.ndim != 2 or rows.shape[1] != len(self.choices) or (rows.size and rows.dtype.kind not in "iu"):
            raise InvalidArchitecture(
                f"got architectures of shape {rows.shape} and type {rows.dtype}; "
                f"{self.name} takes whole numbers, {len(self.choices)} a row"
            )
        checked = rows.astype(np.int64, copy=False)
        if (checked.view(np.uint64) >= self.radices.view(np.uint64)).any():  # what is negative is large without a sign
            row, gene = np.argwhere((checked < 0) | (checked >= self.radices))[0]
            raise InvalidArchitecture(
                f"gene {self.choices[gene].name!r} has index {rows[row, gene]}; "
                f"{self.name} has {self.radices[gene]} options there (0 to {self.radices[gene] - 1})"
            )
        return checked

    def slot_specs(self, architecture: Architecture) -> tuple[LayerSpec | None, ...]:
        """Return what each slot holds."""
        if architecture.space != self.name:
            raise InvalidArchitecture(f"the architecture is of space {architecture.space!r}, not {self.name!r}")
        self.check([architecture.indices])
        return tuple(slot.spec(architecture.indices) for slot in self.slots)

    def layers(self, architecture: Architecture) -> tuple[LayerSpec, ...]:
        """Return the layers that run for one input, in order: those of a part as often as it runs."""
        return tuple(
            spec
            for number, part in enumerate(self.parts)
            for spec in part.runs * self.part_layers(architecture, number)
        )

    def part_layers(self, architecture: Architecture, part: int) -> tuple[LayerSpec, ...]:
        """Return the layers of one part, in order, once each."""
        specs = zip(self.slots, self.slot_specs(architecture))
        return tuple(spec for slot, spec in specs if slot.part == part and spec is not None)

    def unique_layers(self) -> tuple[LayerSpec, ...]:
        """Return every layer that some sub-network runs, once each, in order of first appearance."""
        return tuple(dict.fromkeys(spec for slot in self.slots for spec in slot.specs if spec is not None))

    def active(self, indices: ArrayLike) -> NDArray[np.bool_]:
        """Tell which genes have an effect, (n, d)."""
        return self._activity.of(self.check(indices))

    def canonical(self, indices: ArrayLike) -> Indices:
        """Set inactive genes to their first option and others to the first of their equals, (n, d).

        Equal rows are then equal sub-networks.
        """
        rows = self.check(indices)
        return np.where(self._activity.of(rows), self._activity.first_equal(rows), 0)

    def sample(self, n: int, rng: np.random.Generator) -> Indices:
        """Draw `n` canonical architectures, every gene uniform, (n, d)."""
        return self.canonical(rng.integers(0, self.radices, size=(n, len(self.choices))))

    def neighbours(self, architecture: Architecture) -> Indices:
        """Return all canonical architectures that differ in one active gene, (n, d)."""
        origin = self.canonical([architecture.indices])[0]
        rows = []
        for gene in np.flatnonzero(self.active([origin])[0]):
            for option in self._activity.distinct_options(int(gene)):
                if option != origin[gene]:
                    row = origin.copy()
                    row[gene] = option
                    rows.append(row)
        return self.canonical(np.array(rows, dtype=np.int64).reshape(-1, len(self.choices)))

    def one_hot(self, indices: ArrayLike) -> NDArray[np.float64]:
        """Encode architectures as (n, sum of options) zeros and ones; inactive genes are all zero."""
        rows, width = self.check(indices), int(self.radices.sum())
        encoded = np.zeros((len(rows), width))
        firsts = np.cumsum(self.radices) - self.radices + width * np.arange(len(rows))[:, None]
        encoded.put(self._activity.first_equal(rows) + firsts, self._activity.of(rows))
        return encoded

    def slot_sum(self, value_of: Callable[[LayerSpec], float], *, each_run: bool = True) -> SlotSum:
        """Prepare sums of a per-layer value over architectures: call the result with (n, d) indices.

        A layer counts as often as its part runs, or once without `each_run`.
        """
        values = {spec: value_of(spec) for spec in self.unique_layers()}
        runs = [self.parts[slot.part].runs if each_run else 1 for slot in self.slots]
        tables = [
            [0.0 if spec is None else times * values[spec] for spec in slot.specs]
            for slot, times in zip(self.slots, runs)
        ]
        return SlotSum(len(self.choices), [(slot.genes, slot.radices) for slot in self.slots], tables)

    def macs(self, indices: ArrayLike) -> NDArray[np.float64]:
        """Count multiply-accumulates for one input, all runs of all parts, (n,)."""
        return self._macs(self.check(indices))

    def params(self, indices: ArrayLike) -> NDArray[np.float64]:
        """Count parameters, (n,)."""
        return self._params(self.check(indices))

    @cached_property
    def _macs(self) -> SlotSum:
        return self.slot_sum(macs)

    @cached_property
    def _params(self) -> SlotSum:
        return self.slot_sum(params, each_run=False)

    @cached_property
    def _activity(self) -> SlotActivity:
        codes = [[-1 if spec is None else hash_of(spec) for spec in slot.specs] for slot in self.slots]
        shapes = [(slot.genes, slot.radices) for slot in self.slots]
        for gene in range(len(self.network.choices), len(self.choices)):  # a setting is as if a slot held its option
            shapes.append(((gene,), (int(self.radices[gene]),)))
            codes.append(list(range(int(self.radices[gene]))))
        return SlotActivity(self.radices, shapes, codes)


def with_setting(space: SearchSpace, name: str, options: Sequence[Option]) -> SearchSpace:
    """Return the space with one more setting, which its name says as an option: SPACE:precision=fp32+int8."""
    full = f"{space.name}{',' if ':' in space.name else ':'}{name}={'+'.join(map(str, options))}"
    choices = (*space.choices, Choice(name, tuple(options)))
    return replace(space, name=full, choices=choices, without_settings=space.network)


def hash_of(spec: LayerSpec) -> int:
    """Return a number that equals for equal layers, the same in every process."""
    return int.from_bytes(hashlib.sha256(spec.key.encode()).digest()[:6], "big")
