"""Which layer of a sub-network takes what: the order in which layers run, and the names of what flows between them.

A value is called after the slot that gives it, or is an input of the network. A slot in which nothing runs hands on
what it takes first. Every layer that runs must matter to some output: a runtime would leave the others out, and the
sum of the layers' latencies would be that of another network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from ..errors import SupernetError
from ..layers.spec import LayerSpec
from ..layers.values import INPUT, OUTPUT
from .space import Architecture, SearchSpace

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Step:
    """A layer that runs: the values that it takes, the one that it gives, and those that nothing takes afterwards."""

    slot: str
    spec: LayerSpec
    takes: tuple[str, ...]
    gives: str
    last: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wiring:
    """A part of a sub-network: its layers in order, and its outputs as pairs of a name and the value it is."""

    steps: tuple[Step, ...]
    outputs: tuple[tuple[str, str], ...]


def wiring_of(space: SearchSpace, architecture: Architecture, part: int = 0) -> Wiring:
    """Return how a part of a sub-network is wired.

    Raises SupernetError where a layer or an input of the network leads to no output, or a value has no name.
    """
    held = [pair for pair in zip(space.slots, space.slot_specs(architecture)) if pair[0].part == part]
    value_of = {name: name for name, _ in space.inputs} or {INPUT: INPUT}  # which value is meant by a name
    before, steps = INPUT, []
    for slot, spec in held:
        names = slot.takes or (before,)
        unknown = [name for name in names if name not in value_of]
        if unknown:
            raise SupernetError(
                f"slot {slot.name} takes {unknown[0]!r}, which is neither an input of {space.name} nor a slot before "
                f"it; there are {', '.join(value_of)}"
            )
        takes = tuple(value_of[name] for name in names)
        if spec is not None:
            require_as_many(slot.name, spec, takes)
            steps.append(Step(slot.name, spec, takes, slot.name))
        value_of[slot.name] = takes[0] if spec is None else slot.name
        before = slot.name
    outputs = tuple((name, value_of[name]) for name in space.outputs) or ((OUTPUT, value_of[before]),)
    if space.inputs:
        require_all_used(space, architecture, steps, [value for _, value in outputs])
    return Wiring(with_last(steps, {value for _, value in outputs}), outputs)


def chain_of(layers: Sequence[LayerSpec]) -> Wiring:
    """Return layers wired one after the other."""
    steps, value = [], INPUT
    for position, spec in enumerate(layers):
        name = f"{position}"
        steps.append(Step(name, spec, (value,), name))
        value = name
    return Wiring(with_last(steps, {value}), ((OUTPUT, value),))


def require_as_many(slot: str, spec: LayerSpec, takes: tuple[str, ...]) -> None:
    """Raise SupernetError unless a layer takes as many values as it is given."""
    if len(spec.all_inputs) != len(takes):
        raise SupernetError(
            f"slot {slot} is given {', '.join(takes)}; {spec.key} takes {len(spec.all_inputs)} value"
            f"{'s' if len(spec.all_inputs) > 1 else ''}"
        )


def require_all_used(
    space: SearchSpace, architecture: Architecture, steps: Sequence[Step], outputs: Sequence[str]
) -> None:
    """Raise SupernetError where a layer that runs, or an input of the network, leads to no output."""
    used = set(outputs)
    for step in reversed(steps):
        if step.gives in used:
            used.update(step.takes)
    idle = [step.slot for step in steps if step.gives not in used]
    idle += [f"input {name}" for name, _ in space.inputs if name not in used]
    if idle:
        raise SupernetError(
            f"{idle[0]} leads to no output in {space.values(architecture)}, so runtimes would leave it out; expected "
            "every layer and input to matter. Let a block return None where nothing that runs takes what it gives, or "
            "name it among the outputs"
        )


def with_last(steps: Sequence[Step], kept: set[str]) -> tuple[Step, ...]:
    """Note with each step the values that no later one takes and that are not `kept`."""
    later, found = set(kept), []
    for step in reversed(steps):
        later.discard(step.gives)
        found.append(replace(step, last=tuple(name for name in dict.fromkeys(step.takes) if name not in later)))
        later.update(step.takes)
    return tuple(reversed(found))


def named_inputs(space: SearchSpace, given: T | Mapping[str, T]) -> dict[str, T]:
    """Return what is given to a network by the names of its inputs; raises SupernetError for others.

    What is no mapping is the network's one input.
    """
    names = tuple(name for name, _ in space.inputs) or (INPUT,)
    if not isinstance(given, Mapping):
        if len(names) > 1:
            raise SupernetError(f"{space.name} has inputs {', '.join(names)}; give them by name, as a dictionary")
        return {names[0]: given}
    if set(given) != set(names):
        raise SupernetError(f"{space.name} takes {', '.join(names)}; it was given {', '.join(given) or 'nothing'}")
    return dict(given)
