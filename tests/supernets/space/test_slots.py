"""Arithmetic over slots, against what the slots say one by one."""

import numpy as np
import pytest

from gnomon.supernets import load_space
from gnomon.supernets.space import slots
from gnomon.supernets.space.slots import SlotActivity, numbering

SHAPES = [((0, 2), (3, 4)), ((1,), (2,)), ((2, 1), (4, 2))]
RADICES = np.array([3, 2, 4, 5])  # no slot has the last gene


def rows(n, radices=RADICES):
    return np.random.default_rng(0).integers(0, radices, size=(n, len(radices)))


@pytest.mark.parametrize("name", ["fashion_mnist", "bert_minilm"])
def test_a_sum_is_that_of_the_slots_in_order(name):
    space = load_space(name)
    worth = {spec: 0.1 * number for number, spec in enumerate(space.unique_layers())}
    some = space.sample(9, np.random.default_rng(0))
    expected = [sum(worth[spec] for spec in space.layers(space.architecture(row))) for row in some]
    total = space.slot_sum(worth.__getitem__)
    np.testing.assert_allclose(total(some), expected)
    assert total(some).tolist() == [total(row[None])[0] for row in some]  # to the last bit, alone or among others


@pytest.mark.parametrize("size", [65536, 40, 0])  # bytes of a table of masks: all in one, some, each by itself
def test_a_gene_matters_where_a_slot_varies_along_it(monkeypatch, size):
    monkeypatch.setattr(slots, "MASKS_TABLE_SIZE", size)
    rng = np.random.default_rng(1)
    contents = [rng.integers(0, 2, size=radices) for _, radices in SHAPES]
    some = rows(60)
    expected = np.zeros(some.shape, dtype=bool)
    for (genes, radices), content in zip(SHAPES, contents):
        for position, row in enumerate(some):
            for axis, gene in enumerate(genes):
                place = [row[one] for one in genes]
                found = {content[(*place[:axis], option, *place[axis + 1 :])] for option in range(radices[axis])}
                expected[position, gene] |= len(found) > 1
    activity = SlotActivity(RADICES, SHAPES, [content.ravel().tolist() for content in contents])
    np.testing.assert_array_equal(activity.of(some), expected)
    assert expected.any()
    assert not expected.all()


@pytest.mark.parametrize("radices", [[3, 2, 4], [3] * 45, [40] * 30, [1, 1]])
def test_numbers_of_rows_are_equal_and_ordered_as_the_rows(radices):
    some = rows(80, np.array(radices))
    some[1::2] = some[::2]
    some[1::4, -1] = 0
    numbers = numbering(radices)(some)
    assert numbers.dtype == np.int64
    ours = sorted(range(len(some)), key=lambda i: numbers[:, i].tolist())
    assert [some[i].tolist() for i in ours] == sorted(some.tolist())
    assert len(np.unique(numbers, axis=1).T) == len(np.unique(some, axis=0))


def test_genes_outside_the_space_are_named():
    space = load_space("fashion_mnist")
    for wrong in (-1, 99, -(2**62)):
        row = space.sample(3, np.random.default_rng(0))
        row[1, 2] = wrong
        with pytest.raises(ValueError, match=f"gene '{space.choices[2].name}' has index {wrong};"):
            space.check(row)
