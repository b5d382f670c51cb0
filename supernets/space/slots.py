"""Arithmetic over slots for many architectures at once.

A slot is (genes, radices): the genes that decide it and their numbers of options. Small slots are merged into larger
tables first, because one look-up in a table of some thousand numbers costs less than two look-ups.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

SlotShape = tuple[tuple[int, ...], tuple[int, ...]]
Effect = tuple[int, SlotShape, NDArray[np.bool_]]  # a gene, those that decide whether it matters, and whether it does

Number = TypeVar("Number", np.float64, np.bool_)

MERGED_TABLE_SIZE = 8192  # 64 kB of doubles: two such tables fit a level-2 cache
MASKS_TABLE_SIZE = 65536  # bytes of a merged table of masks
EXACT = 2**52  # numbers up to here are exact in double precision, and so are their sums
CHUNK = 16384  # architectures at a time, so that intermediate columns stay in cache


class SlotSum:
    """Sum one number a slot over architectures; built once, called with (n, d) indices for (n,) sums."""

    def __init__(self, n_genes: int, shapes: Sequence[SlotShape], tables: Sequence[Sequence[float]]) -> None:
        self.n_genes = n_genes
        merged: list[tuple[SlotShape, NDArray[np.float64]]] = []
        for (genes, radices), table in zip(shapes, tables):
            values = np.array(table, dtype=np.float64).reshape(radices)
            joined = merge(merged[-1][0], (genes, radices)) if merged else None
            if joined is not None:
                shape, previous = merged[-1]
                merged[-1] = (joined, spread(previous, shape, joined) + spread(values, (genes, radices), joined))
            else:
                merged.append(((genes, radices), values))
        self.places = Places(n_genes, [shape for shape, _ in merged])
        self.values = np.concatenate([values.ravel() for _, values in merged] or [np.empty(0)])

    def __call__(self, indices: NDArray[np.integer]) -> NDArray[np.float64]:
        """Return the sums, (n,); each is added up in the order of the slots, whatever else is summed beside it."""
        total = np.zeros(len(indices))
        for start in range(0, len(indices), CHUNK):
            chunk = total[start : start + CHUNK]
            for place in self.places(indices[start : start + CHUNK]):
                chunk += self.values.take(place)
        return total


class Places:
    """Where architectures stand in several tables, each of some genes, that lie one after the other in one array."""

    def __init__(self, n_genes: int, shapes: Sequence[SlotShape]) -> None:
        self.steps = np.zeros((len(shapes), n_genes))  # whole numbers: their products are exact in double precision
        for row, (genes, radices) in zip(self.steps, shapes):
            row[list(genes)] = strides_of(radices)
        sizes = [math.prod(radices) for _, radices in shapes]
        self.firsts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)[: len(shapes), None]

    def __call__(self, indices: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return the positions in the array, (tables, n), of (n, d) architectures."""
        return np.asarray((self.steps @ indices.T.astype(np.float64)).astype(np.int64) + self.firsts)


class SlotActivity:
    """Tell which genes matter: gene g matters where some slot's content varies along it, the rest held.

    Two options of a gene are equal where no slot tells them apart, whatever the rest.
    """

    def __init__(
        self, n_options: NDArray[np.int64], shapes: Sequence[SlotShape], contents: Sequence[Sequence[int]]
    ) -> None:
        self.n_genes = len(n_options)
        tables: dict[tuple[int, tuple[int, ...]], NDArray[np.bool_]] = {}  # by gene, and those that decide on it
        effects = [[np.zeros((n, 1), dtype=np.int64)] for n in n_options]  # a row an option: what slots make of it
        for (genes, radices), content in zip(shapes, contents):
            table = np.array(content, dtype=np.int64).reshape(radices)
            for axis, gene in enumerate(genes):
                effects[gene].append(np.moveaxis(table, axis, 0).reshape(radices[axis], -1))
                varies = np.any(table != np.take(table, [0], axis=axis), axis=axis)
                rest, varies = deciding(genes[:axis] + genes[axis + 1 :], varies)
                tables[gene, rest] = tables.get((gene, rest), False) | varies
        parts = [(gene, rest, varies) for (gene, rest), varies in tables.items() if varies.any()]
        groups: list[tuple[SlotShape, list[Effect]]] = []
        for gene, rest, varies in parts:
            shape = (rest, varies.shape)
            joined = merge(groups[-1][0], shape, MASKS_TABLE_SIZE // self.n_genes) if groups else None
            if joined is not None:
                groups[-1] = (joined, [*groups[-1][1], (gene, shape, varies)])
            else:
                groups.append((shape, [(gene, shape, varies)]))
        self.masks = [masks_of(shape, members, self.n_genes) for shape, members in groups]
        self.places = Places(self.n_genes, [shape for shape, _ in groups])
        self.firsts = [first_of_equal_rows(np.hstack(columns)) for columns in effects]
        self.has_equals = any(not np.array_equal(first, np.arange(len(first))) for first in self.firsts)

    def first_equal(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return each option's first equal, (n, d)."""
        if not self.has_equals:
            return indices
        return np.stack([first[column] for first, column in zip(self.firsts, indices.T)], axis=1)

    def distinct_options(self, gene: int) -> NDArray[np.int64]:
        """Return the options of a gene that no earlier one equals."""
        return np.unique(self.firsts[gene])

    def of(self, indices: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Return the mask, (n, d)."""
        active = np.zeros((len(indices), self.n_genes), dtype=np.bool_)
        for (genes, masks), place, first in zip(self.masks, self.places(indices), self.places.firsts):
            active[:, genes] |= masks.take(place - first, axis=0)
        return active


def numbering(radices: Sequence[int]) -> Places:
    """Return what gives (n, d) architectures a few numbers each, (numbers, n), equal and ordered as their genes are."""
    shapes: list[SlotShape] = []
    for gene, radix in enumerate(map(int, radices)):
        joined = merge(shapes[-1], ((gene,), (radix,)), EXACT) if shapes else None
        if joined is not None:
            shapes[-1] = joined
        else:
            shapes.append(((gene,), (radix,)))
    return Places(len(radices), shapes)


def first_of_equal_rows(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each row the position of the first that equals it, (rows,)."""
    return np.array([np.flatnonzero((rows == row).all(axis=1))[0] for row in rows], dtype=np.int64)


def deciding(genes: tuple[int, ...], table: NDArray[np.bool_]) -> tuple[tuple[int, ...], NDArray[np.bool_]]:
    """Leave out the axes of a table along which it is constant; return the genes of the others, and their table."""
    kept = [axis for axis in range(len(genes)) if (table != np.take(table, [0], axis=axis)).any()]
    constant = tuple(slice(None) if axis in kept else 0 for axis in range(len(genes)))
    return tuple(genes[axis] for axis in kept), table[constant]


def strides_of(radices: Sequence[int]) -> tuple[int, ...]:
    """Return the steps of a flat table in which the last gene varies fastest."""
    return tuple(math.prod(radices[axis + 1 :]) for axis in range(len(radices)))


def merge(first: SlotShape, second: SlotShape, most: int = MERGED_TABLE_SIZE) -> SlotShape | None:
    """Return the shape over both slots' genes, or None where the table would have more than `most` entries."""
    radix_of = dict(zip(*first)) | dict(zip(*second))
    if math.prod(radix_of.values()) > most:
        return None
    return tuple(radix_of), tuple(radix_of.values())


def masks_of(shape: SlotShape, effects: Sequence[Effect], n_genes: int) -> tuple[slice | list[int], NDArray[np.bool_]]:
    """Return a table over the genes of `shape`, flat, of masks over the genes that come before it: all of a small one.

    A large table has columns of those genes only whose effects it tells.
    """
    size = math.prod(shape[1])
    told = sorted({gene for gene, _, _ in effects})
    columns = list(range(n_genes)) if size * n_genes <= MASKS_TABLE_SIZE else told
    masks = np.zeros((*shape[1], len(columns)), dtype=np.bool_)
    for gene, own, matters in effects:
        masks[..., columns.index(gene)] |= spread(matters, own, shape)
    return (slice(None) if len(columns) == n_genes else columns), masks.reshape(size, len(columns))


def spread(values: NDArray[Number], shape: SlotShape, target: SlotShape) -> NDArray[Number]:
    """Reshape a slot's table so that it broadcasts over the genes of `target`."""
    genes = shape[0]
    order = sorted(range(len(genes)), key=lambda axis: target[0].index(genes[axis]))
    sizes = [radix if gene in genes else 1 for gene, radix in zip(*target)]
    return values.transpose(order).reshape(sizes)
