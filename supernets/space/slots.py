"""Arithmetic over slots for many architectures at once.

A slot is (genes, radices): the genes that decide it and their numbers of options. Small slots are merged into larger
tables first, because one look-up in a table of some thousand numbers costs less than two look-ups.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SlotShape = tuple[tuple[int, ...], tuple[int, ...]]

MERGED_TABLE_SIZE = 8192  # 64 kB of doubles: two such tables fit a level-2 cache
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
        self.parts = [(genes, strides_of(radices), values.ravel()) for (genes, radices), values in merged]

    def __call__(self, indices: NDArray[np.integer]) -> NDArray[np.float64]:
        """Return the sums, (n,)."""
        total = np.zeros(len(indices))
        for start in range(0, len(indices), CHUNK):
            columns = np.ascontiguousarray(indices[start : start + CHUNK].T, dtype=np.int64)
            chunk = total[start : start + CHUNK]
            for genes, strides, values in self.parts:
                chunk += values[codes_of(columns, genes, strides)]
        return total


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
        self.parts = [
            (gene, rest, strides_of(varies.shape), varies.ravel())
            for (gene, rest), varies in tables.items()
            if varies.any()
        ]
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
        columns = np.ascontiguousarray(indices.T, dtype=np.int64)
        active = np.zeros((self.n_genes, len(indices)), dtype=np.bool_)
        for gene, rest, strides, varies in self.parts:
            active[gene] |= varies[codes_of(columns, rest, strides)]
        return np.ascontiguousarray(active.T)


def first_of_equal_rows(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each row the position of the first that equals it, (rows,)."""
    return np.array([np.flatnonzero((rows == row).all(axis=1))[0] for row in rows], dtype=np.int64)


def deciding(genes: tuple[int, ...], table: NDArray[np.bool_]) -> tuple[tuple[int, ...], NDArray[np.bool_]]:
    """Leave out the axes of a table along which it is constant; return the genes of the others, and their table."""
    kept = [axis for axis in range(len(genes)) if (table != np.take(table, [0], axis=axis)).any()]
    constant = tuple(slice(None) if axis in kept else 0 for axis in range(len(genes)))
    return tuple(genes[axis] for axis in kept), table[constant]


def codes_of(columns: NDArray[np.int64], genes: Sequence[int], strides: Sequence[int]) -> NDArray[np.int64]:
    """Return each architecture's position in a table of these genes, (n,), from (d, n) columns."""
    codes = np.zeros(columns.shape[1], dtype=np.int64)
    for gene, stride in zip(genes, strides):
        codes += columns[gene] * stride
    return codes


def strides_of(radices: Sequence[int]) -> tuple[int, ...]:
    """Return the steps of a flat table in which the last gene varies fastest."""
    return tuple(math.prod(radices[axis + 1 :]) for axis in range(len(radices)))


def merge(first: SlotShape, second: SlotShape) -> SlotShape | None:
    """Return the shape over both slots' genes, or None where the table would be too large."""
    radix_of = dict(zip(*first)) | dict(zip(*second))
    if math.prod(radix_of.values()) > MERGED_TABLE_SIZE:
        return None
    return tuple(radix_of), tuple(radix_of.values())


def spread(values: NDArray[np.float64], shape: SlotShape, target: SlotShape) -> NDArray[np.float64]:
    """Reshape a slot's table so that it broadcasts over the genes of `target`."""
    genes = shape[0]
    order = sorted(range(len(genes)), key=lambda axis: target[0].index(genes[axis]))
    sizes = [radix if gene in genes else 1 for gene, radix in zip(*target)]
    return values.transpose(order).reshape(sizes)
