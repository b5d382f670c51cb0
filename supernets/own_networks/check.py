"""What every search space keeps to, one check a function, each of which says what it found and what to do.

`gnomon space check` prints them for an author of a space; `testing.SpaceContract` runs them under pytest. The last
ones, of `check_runs.py`, build sub-networks in torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidArchitecture, SupernetError
from ..layers.registry import macs, output_shape, params
from ..layers.spec import LayerSpec
from ..layers.values import INPUT, Input
from ..space.space import Indices, SearchSpace
from ..space.wiring import wiring_of
from .check_runs import CheckFailed, Run, graph_is_torch, whole_numbers_fit

SAMPLES, WALKED = 200, 20


@dataclass(frozen=True, slots=True)
class Check:
    """A property of spaces: a sentence, and the function of (space, rows (n, d)) that raises CheckFailed."""

    name: str
    sentence: str
    run: Callable[[SearchSpace, Indices], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a check went: the sentence, and what was wrong, or None."""

    sentence: str
    problem: str | None


def rows_of(space: SearchSpace) -> Indices:
    """Return the smallest, the largest, and random rows, not canonical, the same every time, (n, d)."""
    drawn = np.random.default_rng(7).integers(0, space.radices, size=(SAMPLES, len(space.choices)))
    return np.vstack([np.zeros_like(space.radices), space.radices - 1, drawn])


def check_space(space: SearchSpace, run: Run) -> Iterator[Outcome]:
    """Yield the outcome of every check of `space`, in order, as each is done; `run` runs an ONNX model."""
    rows = rows_of(space)
    for check in CHECKS:
        yield outcome_of(check.sentence, lambda check=check: check.run(space, rows))  # type: ignore[misc]
    if len(space.parts) > 1:
        return
    if any(one.is_whole for spec in space.unique_layers() for one in spec.inputs):
        yield outcome_of("layers run on the least and the largest whole numbers", lambda: whole_numbers_fit(space))
    for name, row in (("smallest", rows[0]), ("largest", rows[1]), ("first random", rows[2])):
        sentence = f"the {name} sub-network runs, and its graph gives what torch gives"
        yield outcome_of(sentence, lambda row=row: graph_is_torch(space, space.architecture(row), run))  # type: ignore[misc]


def outcome_of(sentence: str, check: Callable[[], None]) -> Outcome:
    """Run a check; what it raises is its problem."""
    try:
        check()
    except (CheckFailed, SupernetError) as error:
        return Outcome(sentence, str(error))
    except Exception as error:  # a fault in somebody's module is an outcome too
        return Outcome(sentence, f"{type(error).__name__}: {error}")
    return Outcome(sentence, None)


def canonical_is_idempotent(space: SearchSpace, rows: Indices) -> None:
    """Canonical rows stay as they are."""
    once = space.canonical(rows)
    odd = np.flatnonzero((space.canonical(once) != once).any(axis=1))
    if len(odd):
        raise CheckFailed(
            f"canonical {once[odd[0]].tolist()} has another canonical form", "itself", "Report it: slots decide this"
        )


def canonical_keeps_layers(space: SearchSpace, rows: Indices) -> None:
    """Collapsing inactive genes changes nothing that runs."""
    for row, collapsed in zip(rows, space.canonical(rows)):
        for slot in space.slots:
            if slot.spec(row) != slot.spec(collapsed):
                raise CheckFailed(
                    f"slot {slot.name} holds {slot.spec(row)} at {row.tolist()}, {slot.spec(collapsed)} when canonical",
                    "the same",
                    "List in the slot every gene that its layer depends on",
                )


def networks_have_one_name(space: SearchSpace, rows: Indices) -> None:
    """No network has two canonical names."""
    seen: dict[tuple[LayerSpec | None, ...], NDArray[np.int64]] = {}
    for row in np.unique(space.canonical(rows), axis=0):
        network = tuple(slot.spec(row) for slot in space.slots)
        if network in seen:
            raise CheckFailed(
                f"{seen[network].tolist()} and {row.tolist()} run the same layers",
                "one canonical row a network",
                "Merge genes that only act together",
            )
        seen[network] = row


def layers_chain(space: SearchSpace, rows: Indices) -> None:
    """Each layer of a part takes what reaches it; the first part takes the network's inputs."""
    for row in rows[:WALKED]:
        for part in range(len(space.parts)):
            layers = space.part_layers(space.architecture(row), part)
            if not layers:
                raise CheckFailed(
                    f"{space.values(space.architecture(row))} runs no layer in part {space.parts[part].name!r}",
                    "at least one",
                    "Let some block always return a layer",
                )
            first = layers[0].input_shape if part else space.input_shape
            reaching = dict(space.inputs) or {INPUT: Input(first)}
            for position, step in enumerate(wiring_of(space, space.architecture(row), part).steps):
                for name, taken in zip(step.takes, step.spec.all_inputs):
                    found, comes = (one if space.inputs else one.shape for one in (taken, reaching[name]))
                    if found != comes:
                        raise CheckFailed(
                            f"layer {position}, {step.spec.key}, takes {found} in "
                            f"{space.values(space.architecture(row))}",
                            f"{comes}, which reaches it",
                            "Take the shape that reaches a block from its parameter `shape`, or `shapes`",
                        )
                reaching[step.gives] = Input(output_shape(step.spec))


def sums_are_those_of_layers(space: SearchSpace, rows: Indices) -> None:
    """MACs are those of every run of a layer, params those of every layer."""
    for row, total_macs, total_params in zip(rows[:WALKED], space.macs(rows), space.params(rows)):
        architecture = space.architecture(row)
        held = [spec for spec in space.slot_specs(architecture) if spec is not None]
        counted = (sum(macs(spec) for spec in space.layers(architecture)), sum(params(spec) for spec in held))
        if (total_macs, total_params) != counted:
            raise CheckFailed(
                f"{row.tolist()} counts {total_macs:.0f} MACs and {total_params:.0f} params",
                f"{counted[0]} and {counted[1]}, the sums of its layers",
                "Let macs and params of a layer depend on its spec alone",
            )


def encoding_is_canonical(space: SearchSpace, rows: Indices) -> None:
    """The encoding has a one an active gene, and is the same for all rows that mean one network."""
    encoded = space.one_hot(rows)
    if not np.array_equal(encoded.sum(axis=1), space.active(rows).sum(axis=1)):
        raise CheckFailed("encodings have other sums than active genes", "a one an active gene", "Report it")
    if not np.array_equal(encoded, space.one_hot(space.canonical(rows))):
        raise CheckFailed("rows that mean one network are encoded differently", "the same encoding", "Report it")


def neighbours_are_others(space: SearchSpace, rows: Indices) -> None:
    """Neighbours are one active gene apart: canonical, never the origin itself, and no network twice."""
    origin = space.architecture(rows[1])
    near = space.neighbours(origin)
    if not len(near):
        raise CheckFailed(
            "the largest sub-network has no neighbour",
            "a gene with an effect",
            "Give some gene two options that differ",
        )
    same = np.all(near == np.array(origin.indices), axis=1)
    if same.any() or len(np.unique(near, axis=0)) != len(near) or not np.array_equal(space.canonical(near), near):
        raise CheckFailed("neighbours repeat, or are not canonical", "each another network", "Report it")


def keys_are_readable(space: SearchSpace, rows: Indices) -> None:
    """Every layer has a key of its own, which reads back as the layer."""
    keys: dict[str, LayerSpec] = {}
    for spec in space.unique_layers():
        read = LayerSpec.from_key(spec.key)
        if read != spec or spec.key in keys:
            raise CheckFailed(
                f"key {spec.key} reads back as {read}", f"{spec}", "Use whole numbers and words in lower case"
            )
        keys[spec.key] = spec


def largest_comes_last(space: SearchSpace, rows: Indices) -> None:
    """Options are in rising order: no sub-network has more parameters than the one of all last options."""
    sizes = space.params(rows)
    if (sizes > sizes[1]).any():
        row = rows[int(sizes.argmax())]
        raise CheckFailed(
            f"{row.tolist()} has {sizes.max():,.0f} parameters, the last options {sizes[1]:,.0f}",
            "the most at the last options, which training takes for the largest sub-network",
            "Write each gene's options from small to large",
        )


def values_outside_are_refused(space: SearchSpace, rows: Indices) -> None:
    """An option that does not exist is refused, naming the gene."""
    row = [0] * len(space.choices)
    row[-1] = int(space.radices[-1])
    try:
        space.architecture(row)
    except InvalidArchitecture as error:
        if space.choices[-1].name in str(error):
            return
    raise CheckFailed(f"{row} was taken", f"an error that names {space.choices[-1].name}", "Report it")


CHECKS = (
    Check("canonical", "canonical architectures stay as they are", canonical_is_idempotent),
    Check("collapse", "genes without effect change nothing that runs", canonical_keeps_layers),
    Check("names", "every network has one canonical name", networks_have_one_name),
    Check("chain", "each layer takes what the one before gives", layers_chain),
    Check("sums", "MACs and parameters are the sums of the layers", sums_are_those_of_layers),
    Check("encoding", "encodings tell networks apart, and nothing else", encoding_is_canonical),
    Check("neighbours", "neighbours are other networks", neighbours_are_others),
    Check("keys", "every layer has a readable key of its own", keys_are_readable),
    Check("order", "the last options make the largest network", largest_comes_last),
    Check("outside", "options that do not exist are refused", values_outside_are_refused),
)
