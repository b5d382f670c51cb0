"""Contract that every search space keeps; subclass it with a `space` fixture to test one of your own.

class TestMySpace(SpaceContract):
    @pytest.fixture
    def space(self): return build()
"""

from __future__ import annotations

import numpy as np
import pytest

from .errors import InvalidArchitecture
from .layers.registry import macs, output_shape, params
from .layers.spec import LayerSpec
from .space import SearchSpace


class SpaceContract:
    """Behaviour that the rest of Gnomon relies on."""

    @pytest.fixture
    def space(self) -> SearchSpace:
        """The space under test."""
        raise NotImplementedError

    @pytest.fixture
    def rows(self, space: SearchSpace) -> np.ndarray:
        """Uncanonical random architectures, (200, d)."""
        return np.random.default_rng(7).integers(0, space.radices, size=(200, len(space.choices)))

    def test_canonical_is_idempotent(self, space: SearchSpace, rows: np.ndarray) -> None:
        """Canonical rows stay as they are."""
        once = space.canonical(rows)
        assert np.array_equal(space.canonical(once), once)

    def test_canonical_keeps_the_layers(self, space: SearchSpace, rows: np.ndarray) -> None:
        """Collapsing inactive genes changes nothing that runs."""
        for row, collapsed in zip(rows, space.canonical(rows)):
            assert [slot.spec(row) for slot in space.slots] == [slot.spec(collapsed) for slot in space.slots]

    def test_distinct_canonical_rows_run_distinct_layers(self, space: SearchSpace, rows: np.ndarray) -> None:
        """No network has two canonical names."""
        unique = np.unique(space.canonical(rows), axis=0)
        networks = {tuple(slot.spec(row) for slot in space.slots) for row in unique}
        assert len(networks) == len(unique)

    def test_layers_chain(self, space: SearchSpace, rows: np.ndarray) -> None:
        """Each layer of a part takes what the one before gives; the first part takes the network's input."""
        for row in rows[:20]:
            for part in range(len(space.parts)):
                layers = space.part_layers(space.architecture(row), part)
                shape = layers[0].input_shape if part else space.input_shape
                for spec in layers:
                    assert spec.input_shape == shape
                    shape = output_shape(spec)

    def test_sums_equal_those_of_the_layers(self, space: SearchSpace, rows: np.ndarray) -> None:
        """Vectorised MACs are those of every run of a layer, params those of every layer."""
        for row, total_macs, total_params in zip(rows[:20], space.macs(rows), space.params(rows)):
            architecture = space.architecture(row)
            held = [spec for spec in space.slot_specs(architecture) if spec is not None]
            assert total_macs == sum(macs(spec) for spec in space.layers(architecture))
            assert total_params == sum(params(spec) for spec in held)

    def test_one_hot_has_a_one_an_active_gene(self, space: SearchSpace, rows: np.ndarray) -> None:
        """The encoding is masked, and the same for all rows that mean one network."""
        assert np.array_equal(space.one_hot(rows).sum(axis=1), space.active(rows).sum(axis=1))
        assert np.array_equal(space.one_hot(rows), space.one_hot(space.canonical(rows)))

    def test_neighbours_differ_and_are_canonical(self, space: SearchSpace, rows: np.ndarray) -> None:
        """One active gene apart, so never the origin itself, and no network twice."""
        origin = space.architecture(rows[0])
        near = space.neighbours(origin)
        assert len(near)
        assert np.array_equal(space.canonical(near), near)
        assert len(np.unique(near, axis=0)) == len(near)
        assert not np.any(np.all(near == np.array(origin.indices), axis=1))

    def test_every_layer_has_a_readable_key(self, space: SearchSpace) -> None:
        """Keys round trip and are unique."""
        layers = space.unique_layers()
        assert [LayerSpec.from_key(spec.key) for spec in layers] == list(layers)
        assert len({spec.key for spec in layers}) == len(layers)

    def test_a_value_outside_is_refused(self, space: SearchSpace) -> None:
        """The error names the gene."""
        row = [0] * len(space.choices)
        row[-1] = int(space.radices[-1])
        with pytest.raises(InvalidArchitecture, match=space.choices[-1].name):
            space.architecture(row)
